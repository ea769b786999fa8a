import type { Middleware, ParameterizedContext } from 'koa';
import type { Access, AnyTerms, CallersOnly, Requirement, Terms } from './access.ts';
import { nodeRequest } from './credentials/guarded-request.ts';
import type { Guard } from './guard.ts';
import { markProtected } from './openapi/protections.ts';

/** What a guard adds to `ctx.state`. */
export interface GuardedState<Caller> {
  /** Who calls. */
  auth: Caller;
}

/** What policies are given: the context, with the parameters a router has found in the path. */
export type KoaGuardContext = ParameterizedContext & { readonly params?: Readonly<Record<string, string>> };

/** Makes the guards of an app's routes. */
export interface KoaProtect<Words extends Terms = AnyTerms> {
  /** @throws {TypeError} when the requirement is misspelt. */
  (requirement?: CallersOnly<Words, KoaGuardContext>): Middleware<GuardedState<Access<Words>>>;
  (requirement: Requirement<Words, KoaGuardContext>): Middleware<GuardedState<Access<Words> | undefined>>;
}

/**
 * Protects Koa 2 and 3 with a guard: one route of a router, or with `app.use` everything that follows.
 *
 * @example
 * import { Router } from '@koa/router';
 * import { createGuard } from '@sallyport/guard';
 * import { koaGuard } from '@sallyport/guard/koa';
 *
 * const protect = koaGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const router = new Router();
 * router.get('/todos', protect({ scope: 'todos:read' }), (ctx) => {
 *   ctx.body = { owner: ctx.state.auth.subject };
 * });
 */
export function koaGuard<Words extends Terms>(guard: Guard<Words>): KoaProtect<Words> {
  function protect(requirement?: CallersOnly<Words, KoaGuardContext>): Middleware<GuardedState<Access<Words>>>;
  function protect(
    requirement: Requirement<Words, KoaGuardContext>,
  ): Middleware<GuardedState<Access<Words> | undefined>>;
  function protect(requirement?: Requirement<Words, KoaGuardContext>): Middleware<Partial<GuardedState<unknown>>> {
    const required = guard.resolve(requirement);
    const middleware: Middleware<Partial<GuardedState<unknown>>> = async (ctx, next) => {
      const body = (): unknown => Reflect.get(ctx.request, 'body');
      const verdict = await guard.check(nodeRequest(ctx.req, { target: ctx.originalUrl, body }), required, ctx);
      if (verdict.granted) {
        ctx.state.auth = verdict.access;
        await next();
      } else {
        ctx.status = verdict.refusal.status;
        ctx.set(verdict.refusal.headers);
        ctx.body = JSON.stringify(verdict.refusal.body);
      }
    };
    return markProtected(middleware, guard, required);
  }
  return protect;
}
