import type { Auth, Device, FeedCredential } from '@sallyport/auth';
import { type Access, type Requirement, resolveRequirement, type SessionCookies } from '@sallyport/guard';
import type { Authenticate } from './authentication.ts';
import { readBody, requireNoBody } from './body.ts';
import { BrowserSession } from './browser-session.ts';
import type { AnswerHeaders, Exchange } from './exchange.ts';
import { carriesFeedCredential, type FeedAuthentication } from './feed-authentication.ts';
import { parseForm } from './form.ts';
import type { Caller, Operation, OperationContext } from './operation.ts';
import type { FeedRoute, Route, RouteRequirement } from './routes.ts';

/** What every route shares. */
export interface RouteServices {
  readonly auth: Auth;
  readonly cookies: SessionCookies;
  readonly authenticate: Authenticate;
  readonly feedAuthentication: FeedAuthentication;
  readonly describeApi: () => object;
  /** Answers what was thrown, as the error table has it. */
  readonly refuse: (error: unknown, exchange: Exchange, style?: Operation['errors']) => Response;
  /** Called with what went wrong behind an answer, and the id of the request. */
  readonly onError: (error: unknown, requestId: string) => void;
}

/** Answers one request that the router found this route for. Never rejects. */
export type ServeRoute = (
  request: Request,
  params: Readonly<Record<string, string>>,
  exchange: Exchange,
) => Promise<Response>;

const MAX_USER_AGENT_LENGTH = 256;

/** Tells who sent a request, and notes it for the log; throws what is answered to everybody else. */
type Identify<Who extends Caller> = (request: Request, exchange: Exchange) => Promise<Who>;

/** Makes one row of the route table answer: guard, read, run, respond. Whom it is for is settled here, once. */
export function createServeRoute(route: Route, services: RouteServices): ServeRoute {
  const user = identifyUser(services, 'requires' in route ? toRequirement(route.requires) : undefined);
  if ('open' in route) return serveTo(async () => undefined, route.operation, services, user);
  if (!('forGuards' in route)) return serveTo(user, route.operation, services, user);
  const guard = identifyGuard(services, route.forGuards);
  if (!('requires' in route)) return serveTo(guard, route.operation, services, user);
  const either: Identify<Access | FeedCredential> = (request, exchange) =>
    (carriesFeedCredential(request) ? guard : user)(request, exchange);
  return serveTo(either, route.operation, services, user);
}

function toRequirement(requires: RouteRequirement): Requirement {
  return resolveRequirement(requires === 'signed-in' ? {} : requires);
}

function identifyUser(services: RouteServices, requirement: Requirement | undefined): Identify<Access> {
  return async (request, exchange) => {
    const access = await services.authenticate(request, requirement);
    exchange.subject = access.subject;
    return access;
  };
}

function identifyGuard({ feedAuthentication }: RouteServices, how: FeedRoute['forGuards']): Identify<FeedCredential> {
  const identify = feedAuthentication[how === 'ask' ? 'authenticate' : 'recognise'];
  return async (request, exchange) => {
    const credential = await identify(request);
    exchange.subject = `feed:${credential.name}`;
    return credential;
  };
}

function serveTo<Who extends Caller>(
  identify: Identify<Who>,
  operation: Operation<Who>,
  { auth, cookies, describeApi, refuse, onError }: RouteServices,
  user: Identify<Access>,
): ServeRoute {
  return async (request, params, exchange) => {
    try {
      exchange.isRoutine = operation.isRoutine?.(new URL(request.url)) ?? false;
      const context: OperationContext<Who> = {
        auth,
        caller: await identify(request, exchange),
        device: readDevice(request, exchange),
        request,
        browser: new BrowserSession(auth, cookies, request, exchange),
        basePath: exchange.info.basePath,
        authenticate: () => user(request, exchange),
        describeApi,
        // What the listener returns is nobody's business: it may be a promise.
        reportFailure: (error) => {
          onError(error, exchange.requestId);
        },
      };
      operation.admit?.(context);
      const query = operation.query && parseForm(new URL(request.url).search.slice(1), 'query_invalid');
      const body = await readBodyOf(operation, request);
      const result = await operation.run(context, { params, query, body });
      return result instanceof Response
        ? completeResponse(result, exchange.headers)
        : createSuccessResponse(operation, result, exchange.headers);
    } catch (error) {
      return refuse(error, exchange, operation.errors);
    }
  };
}

function readDevice(request: Request, { info }: Exchange): Device {
  const userAgent = request.headers.get('user-agent')?.slice(0, MAX_USER_AGENT_LENGTH);
  return { userAgent, address: info.address };
}

async function readBodyOf(
  { body, records }: Pick<Operation, 'body' | 'records'>,
  request: Request,
): Promise<object | undefined> {
  if (records !== undefined) return undefined;
  return body === undefined ? requireNoBody(request) : readBody(request, body.mediaTypes);
}

function createSuccessResponse(
  { success, errors }: Pick<Operation, 'success' | 'errors'>,
  result: unknown,
  shared: AnswerHeaders,
): Response {
  const hasBody = success.schema !== undefined;
  const headers = {
    ...shared,
    ...(success.cacheControl !== undefined && { 'cache-control': success.cacheControl }),
    // RFC 6749, section 5.1 asks for it beside Cache-Control.
    ...(errors === 'oauth' && { pragma: 'no-cache' }),
    ...(hasBody && { 'content-type': 'application/json' }),
  };
  return new Response(hasBody ? JSON.stringify(result) : null, { status: success.status, headers });
}

/** Adds to the response of an operation's own what it does not say itself. */
function completeResponse(response: Response, shared: AnswerHeaders): Response {
  for (const [name, value] of Object.entries(shared)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}
