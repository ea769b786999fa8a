import type { Auth } from '@sallyport/auth';
import { createSessionCookies } from '@sallyport/guard';
import { Hono } from 'hono';
import { createAuthentication } from './authentication.ts';
import { type Cors, createCors } from './cors.ts';
import type { Exchange, RequestInfo } from './exchange.ts';
import { createFeedAuthentication } from './feed-authentication.ts';
import { HttpError } from './http-error.ts';
import { type OpenApiDocument, describeApi } from './openapi.ts';
import { chooseRequestId } from './request-id.ts';
import { createErrorResponse } from './responses.ts';
import { methodsByPath, routes } from './routes.ts';
import { securityHeaders } from './security-headers.ts';
import { createServeRoute, type RouteServices } from './serve-route.ts';

/** Answers one request. Never rejects. */
export type Handler = (request: Request, info?: RequestInfo) => Promise<Response>;

/** One answered request, for the log. The path comes without its query, which may hold anything. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** In milliseconds. */
  readonly durationMs: number;
  /** The verified caller, when there was one. */
  readonly subject?: string;
  readonly address?: string;
  /** Comes as a matter of course, every second or so: a line for debugging, unless it failed. */
  readonly routine?: true;
}

/** How a handler reports and whom it answers. */
export interface HandlerOptions {
  /** Called after every request. Must not throw. Default: nothing is logged. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** Called with whatever lies behind an answer of 500 or 503, or one that broke off. Must not throw. Default: nothing is logged. */
  readonly onError?: (error: unknown, requestId: string) => void;
  /**
   * The exact origins whose scripts may call this server, with the cookies of whoever is signed in, if they are of the
   * same site: pages you trust like your own. Default: none.
   */
  readonly corsOrigins?: readonly string[];
}

type App = Hono<{ Bindings: Exchange }>;

/**
 * Creates the authorization server's HTTP side: a function from request to response, at home in any runtime and framework.
 *
 * Answers every path it is given, unknown ones with 404. Does **not** listen, terminate TLS, limit rates, or read
 * `X-Forwarded-*`: whoever calls it passes the client's address in `info`.
 *
 * @example
 * import { createAuth } from '@sallyport/auth';
 * import { sqlite } from '@sallyport/auth/sqlite';
 * import { createHandler } from 'sallyport';
 *
 * const auth = await createAuth({ issuer: 'https://auth.example.com', store: sqlite('app.db'), secretKey: process.env.SECRET_KEY ?? '' });
 * const handler = createHandler(auth);
 * const response = await handler(new Request('https://auth.example.com/livez'));
 *
 * @throws {TypeError} when an entry of `corsOrigins` is not an exact origin
 */
export function createHandler(auth: Auth, options: HandlerOptions = {}): Handler {
  const cors = createCors(options.corsOrigins ?? []);
  const app = createApp(auth, options);
  const always = securityHeaders(auth.issuer);
  return async (request, info = {}) => {
    const started = performance.now();
    const requestId = info.requestId ?? chooseRequestId(request.headers);
    const headers = { ...always, 'x-request-id': requestId, ...cors.headersFor(request) };
    const exchange: Exchange = { requestId, info, headers, subject: undefined, isRoutine: false, setCookies: [] };
    const response =
      info.unreadable === undefined
        ? await answer(app, cors, request, exchange)
        : createErrorResponse(new HttpError('target_malformed', {}), {
            style: 'problem',
            issuer: auth.issuer,
            requestId,
            headers,
          });
    for (const line of exchange.setCookies) response.headers.append('set-cookie', line);
    options.onRequest?.({
      requestId,
      method: info.unreadable?.method ?? request.method,
      path: (info.basePath ?? '') + (info.unreadable?.target.split('?', 1)[0] ?? new URL(request.url).pathname),
      status: response.status,
      durationMs: performance.now() - started,
      ...(exchange.subject !== undefined && { subject: exchange.subject }),
      ...(info.address !== undefined && { address: info.address }),
      ...(exchange.isRoutine && { routine: true }),
    });
    return response;
  };
}

const allMethods: readonly string[] = [...new Set([...methodsByPath(routes).values()].flat())];

function answer(app: App, cors: Cors, request: Request, exchange: Exchange): Response | Promise<Response> {
  return cors.answerPreflight(request, allMethods, exchange.headers) ?? app.fetch(request, exchange);
}

function createApp(auth: Auth, { onError = () => undefined, corsOrigins: trustedOrigins = [] }: HandlerOptions): App {
  const app: App = new Hono<{ Bindings: Exchange }>();
  let document: OpenApiDocument | undefined;
  const cookies = createSessionCookies({ origin: new URL(auth.issuer).origin, trustedOrigins });
  const refuse: RouteServices['refuse'] = (error, exchange, style = 'problem') => {
    const { requestId, headers } = exchange;
    const response = createErrorResponse(error, { style, issuer: auth.issuer, requestId, headers });
    if (response.status >= 500) onError(error, requestId);
    return response;
  };
  const services = {
    auth,
    cookies,
    authenticate: createAuthentication(auth, cookies.source),
    feedAuthentication: createFeedAuthentication(auth),
    describeApi: () => (document ??= describeApi(routes, auth.issuer)),
    refuse,
    onError,
  };
  for (const route of routes) {
    const serve = createServeRoute(route, services);
    app.on(route.method, toRouterPath(route.path), ({ req, env }) => serve(req.raw, req.param(), env));
  }
  // Beside the routes, and not behind them: with two handlers for one request the router would have to compose them.
  const otherMethods: App = new Hono<{ Bindings: Exchange }>();
  for (const [path, allow] of methodsByPath(routes)) {
    otherMethods.all(toRouterPath(path), ({ env }) => refuse(new HttpError('method_not_allowed', { allow }), env));
  }
  otherMethods.notFound(({ env }) => refuse(new HttpError('not_found', {}), env));
  app.notFound(({ req, env }) => otherMethods.fetch(req.raw, env));
  app.onError((error, { env }) => refuse(error, env));
  return app;
}

/** Routes are written as in OpenAPI; the router wants `/users/:id`. */
function toRouterPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}
