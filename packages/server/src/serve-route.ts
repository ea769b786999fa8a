import type { Auth, Device, FeedCredential } from '@sallyport/auth';
import { type Access, type Requirement, resolveRequirement, type SessionCookies } from '@sallyport/guard';
import type { Authenticate } from './authentication.ts';
import { readBody, requireNoBody } from './body.ts';
import { BrowserSession } from './browser-session.ts';
import type { Exchange } from './exchange.ts';
import { carriesFeedCredential, type FeedAuthentication } from './feed-authentication.ts';
import { parseForm } from './form.ts';
import type { Caller, Operation, OperationContext, RawInput } from './operation.ts';
import type { FeedRoute, Route, RouteRequirement } from './routes.ts';

/** What every route shares. */
export interface RouteServices {
  readonly auth: Auth;
  readonly cookies: SessionCookies;
  readonly authenticate: Authenticate;
  readonly feedAuthentication: FeedAuthentication;
  readonly describeApi: () => object;
}

/** Answers one request that the router found this route for; throws what the error table answers. */
export type ServeRoute = (
  request: Request,
  params: Readonly<Record<string, string>>,
  exchange: Exchange,
) => Promise<Response>;

const MAX_USER_AGENT_LENGTH = 256;

/** Makes one row of the route table answer: guard, read, run, respond. Its requirement is checked here, once. */
export function createServeRoute(route: Route, services: RouteServices): ServeRoute {
  const requirement = 'requires' in route ? toRequirement(route.requires) : undefined;
  return async (request, params, exchange) => {
    exchange.isRoutine = route.operation.isRoutine?.(new URL(request.url)) ?? false;
    const authenticate = async (): Promise<Access> => {
      const access = await services.authenticate(request, requirement);
      exchange.subject = access.subject;
      return access;
    };
    const recogniseGuard = async (how: FeedRoute['forGuards']): Promise<FeedCredential> => {
      const { feedAuthentication } = services;
      const credential = await feedAuthentication[how === 'ask' ? 'authenticate' : 'recognise'](request);
      exchange.subject = `feed:${credential.name}`;
      return credential;
    };
    const shared = {
      ...services,
      authenticate,
      request,
      browser: new BrowserSession(services.auth, services.cookies, request, exchange),
      basePath: exchange.info.basePath,
      device: readDevice(request, exchange),
    };
    if ('open' in route) return perform(route.operation, { ...shared, caller: undefined }, params);
    if (!('forGuards' in route)) return perform(route.operation, { ...shared, caller: await authenticate() }, params);
    if (!('requires' in route)) {
      return perform(route.operation, { ...shared, caller: await recogniseGuard(route.forGuards) }, params);
    }
    const caller = await (carriesFeedCredential(request) ? recogniseGuard(route.forGuards) : authenticate());
    return perform(route.operation, { ...shared, caller }, params);
  };
}

function toRequirement(requires: RouteRequirement): Requirement {
  return resolveRequirement(requires === 'signed-in' ? {} : requires);
}

function readDevice(request: Request, { info }: Exchange): Device {
  const userAgent = request.headers.get('user-agent')?.slice(0, MAX_USER_AGENT_LENGTH);
  return { userAgent, address: info.address };
}

async function perform<Who extends Caller>(
  operation: Operation<Who>,
  context: OperationContext<Who>,
  params: unknown,
): Promise<Response> {
  operation.admit?.(context);
  const input = await readInput(operation, context.request, params);
  const result = await operation.run(context, input);
  return result instanceof Response ? result : createSuccessResponse(operation, result);
}

async function readInput(
  { body, query }: Pick<Operation, 'body' | 'query'>,
  request: Request,
  params: unknown,
): Promise<RawInput> {
  return {
    params,
    query: query && parseForm(new URL(request.url).search.slice(1), 'query_invalid'),
    body: body === undefined ? await requireNoBody(request) : await readBody(request, body.mediaTypes),
  };
}

function createSuccessResponse({ success, errors }: Pick<Operation, 'success' | 'errors'>, result: unknown): Response {
  const init = {
    status: success.status,
    headers: {
      ...(success.cacheControl === undefined ? {} : { 'cache-control': success.cacheControl }),
      // RFC 6749, section 5.1 asks for it beside Cache-Control.
      ...(errors === 'oauth' ? { pragma: 'no-cache' } : {}),
    },
  };
  return success.schema === undefined ? new Response(null, init) : Response.json(result, init);
}
