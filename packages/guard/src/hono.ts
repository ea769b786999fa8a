import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import type { Access, AnyTerms, CallersOnly, Requirement, Terms } from './access.ts';
import { fetchRequest, type GuardedRequest, nodeRequest } from './credentials/guarded-request.ts';
import type { Guard } from './guard.ts';
import { operationOf } from './openapi/operation.ts';
import { markProtected, protectionsOf } from './openapi/protections.ts';

/** What a guard adds to the variables of the context. */
export interface GuardedVariables<Caller> {
  /** Who calls. */
  Variables: { auth: Caller };
}

/** Makes the guards of an app's routes. */
export interface HonoProtect<Words extends Terms = AnyTerms> {
  /** @throws {TypeError} when the requirement is misspelt. */
  (requirement?: CallersOnly<Words, Context>): MiddlewareHandler<GuardedVariables<Access<Words>>>;
  (requirement: Requirement<Words, Context>): MiddlewareHandler<GuardedVariables<Access<Words> | undefined>>;
}

/** What {@link honoGuard} may be told besides its guard. */
export interface HonoGuardOptions {
  /**
   * The `describeRoute` of `hono-openapi`: with it, that generator documents what the guards ask. Default: none, and
   * the routes' own descriptions are all it knows.
   */
  readonly describeRoute?: (description: never) => MiddlewareHandler;
}

/**
 * Protects Hono 4 routes with a guard, on Node and on every runtime with `Request` and `Response`.
 *
 * @example
 * import { Hono } from 'hono';
 * import { createGuard } from '@sallyport/guard';
 * import { honoGuard } from '@sallyport/guard/hono';
 *
 * const protect = honoGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const app = new Hono();
 * app.get('/todos', protect({ scope: 'todos:read' }), (context) => context.json({ owner: context.var.auth.subject }));
 */
export function honoGuard<Words extends Terms>(
  guard: Guard<Words>,
  options: HonoGuardOptions = {},
): HonoProtect<Words> {
  function protect(requirement?: CallersOnly<Words, Context>): MiddlewareHandler<GuardedVariables<Access<Words>>>;
  function protect(
    requirement: Requirement<Words, Context>,
  ): MiddlewareHandler<GuardedVariables<Access<Words> | undefined>>;
  function protect(requirement?: Requirement<Words, Context>): MiddlewareHandler {
    const required = guard.resolve(requirement);
    const middleware: MiddlewareHandler = async (context, next) => {
      const checked = guard.check(guardedRequest(context), required, context);
      const verdict = checked instanceof Promise ? await checked : checked;
      if (verdict.granted) {
        context.set('auth', verdict.access);
        return next();
      }
      const { status, headers, body } = verdict.refusal;
      return context.body(JSON.stringify(body), status, headers);
    };
    return described(markProtected(middleware, guard, required), options);
  }
  return protect;
}

/** Puts the notes on a middleware that the generator looks for. */
function described(middleware: MiddlewareHandler, { describeRoute }: HonoGuardOptions): MiddlewareHandler {
  const operation = operationOf(protectionsOf([middleware]));
  if (describeRoute === undefined || operation === undefined) return middleware;
  // It wants a description of its own type, of which ours is one.
  const notes = describeRoute(operation as never);
  for (const key of Object.getOwnPropertySymbols(notes)) Reflect.set(middleware, key, Reflect.get(notes, key));
  return middleware;
}

/** On Node the request as it came in tells repeated header lines apart; `Request` has joined them. */
function guardedRequest({ env, req }: Context): GuardedRequest {
  const body = (): Promise<unknown> => (req.header('content-type')?.includes('json') ? req.json() : req.parseBody());
  const incoming = (env as { readonly incoming?: IncomingMessage } | undefined)?.incoming;
  return incoming === undefined ? fetchRequest(req.raw, { body }) : nodeRequest(incoming, { body });
}
