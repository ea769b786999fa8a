import type { ServerResponse } from 'node:http';
import type { Request as ExpressRequest } from 'express';
import type { Access, AnyTerms, CallersOnly, Requirement, Terms } from './access.ts';
import { nodeRequest } from './credentials/guarded-request.ts';
import { accessOf, attachAccess } from './granted-request.ts';
import type { Guard } from './guard.ts';
import { markProtected } from './openapi/protections.ts';
import type { Verdict } from './verdict.ts';

declare const caller: unique symbol;

/** How a guard tells the handlers after it, through the types alone, who called: nothing of it is there at run time. */
export type GuardedLocals<Caller> = { readonly [caller]?: { readonly is: Caller } };

/** Who called a route, by its types: on a route without a guard nobody the compiler knows of. */
export type CallerIn<Locals> = typeof caller extends keyof Locals
  ? Locals extends GuardedLocals<infer Caller>
    ? Caller
    : undefined
  : undefined;

// Express hands each handler the same type of request; only its parameters differ from route to route. So the property
// is there for every request, and its type says whether a guard stands on the route (decision 0040).
// oxlint-disable typescript/no-explicit-any -- merged declarations must repeat Express's own parameters, word for word
declare module 'express-serve-static-core' {
  interface Request<
    P = ParamsDictionary,
    ResBody = any,
    ReqBody = any,
    ReqQuery = RequestHandler extends RequestHandler<infer _P, infer _R, infer _B, infer Query, infer _L>
      ? Query
      : never,
    LocalsObj extends Record<string, any> = Record<string, any>,
  > {
    /** Who calls: set by a guard that granted the request; `undefined` on routes without one. */
    readonly auth: CallerIn<LocalsObj>;
  }
}
// oxlint-enable typescript/no-explicit-any

/** A guard on a route. Says no more of Express's types than it must: the compiler compares them again for each route. */
export type ExpressGuardHandler<Caller> = (
  request: object,
  response: { readonly locals: GuardedLocals<Caller> },
  next: (error?: unknown) => void,
) => void;

/** Makes the guards of an app's routes. */
export interface ExpressProtect<Words extends Terms = AnyTerms> {
  /** @throws {TypeError} when the requirement is misspelt. */
  (requirement?: CallersOnly<Words, ExpressRequest>): ExpressGuardHandler<Access<Words>>;
  (requirement: Requirement<Words, ExpressRequest>): ExpressGuardHandler<Access<Words> | undefined>;
  /**
   * Who called, for handlers behind a guard that stands before a router or the whole app.
   *
   * @throws {TypeError} when no guard has let a caller in.
   */
  readonly accessOf: (request: ExpressRequest) => Access<Words>;
}

/**
 * Protects routes of Express 4 and 5 with a guard.
 *
 * Put the handler on the route it protects, or with `app.use` before everything that follows. Mounted by path
 * (`app.use('/admin', protect())`) it guards what that path pattern matches and nothing else.
 *
 * @example
 * import express from 'express';
 * import { createGuard } from '@sallyport/guard';
 * import { expressGuard } from '@sallyport/guard/express';
 *
 * const protect = expressGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const app = express();
 * app.get('/todos', protect({ scope: 'todos:read' }), (request, response) => {
 *   response.json({ owner: request.auth.subject });
 * });
 */
export function expressGuard<Words extends Terms>(guard: Guard<Words>): ExpressProtect<Words> {
  function protect(requirement?: CallersOnly<Words, ExpressRequest>): ExpressGuardHandler<Access<Words>>;
  function protect(requirement: Requirement<Words, ExpressRequest>): ExpressGuardHandler<Access<Words> | undefined>;
  function protect(requirement?: Requirement<Words, ExpressRequest>): ExpressGuardHandler<Access<Words> | undefined> {
    const required = guard.resolve(requirement);
    const handler: ExpressGuardHandler<Access<Words> | undefined> = (incoming, outgoing, next) => {
      // Express calls its handlers with its own requests and responses.
      const request = incoming as ExpressRequest;
      const response = outgoing as unknown as ServerResponse;
      const { originalUrl: target } = request;
      const verdict = guard.check(nodeRequest(request, { target, body: () => request.body }), required, request);
      const act = (settled: Verdict<Words>): void => {
        if (settled.granted) {
          attachAccess(request, settled.access);
          next();
        } else {
          const { status, headers, body } = settled.refusal;
          response.writeHead(status, headers).end(JSON.stringify(body));
        }
      };
      if (verdict instanceof Promise) verdict.then(act, next);
      else act(verdict);
    };
    return markProtected(handler, guard, required);
  }
  return Object.assign(protect, { accessOf });
}
