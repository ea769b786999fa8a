import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
// By this name the declarations below mean the same, whatever other packages declare in Fastify's module.
import type * as fastify from 'fastify';
import type { Access, AnyTerms, CallersOnly, Requirement, Terms } from './access.ts';
import { nodeRequest } from './credentials/guarded-request.ts';
import { accessOf, attachAccess } from './granted-request.ts';
import type { Guard } from './guard.ts';
import { markProtected } from './openapi/protections.ts';
import type { Verdict } from './verdict.ts';

declare const caller: unique symbol;

/**
 * A guard as a hook: for `onRequest`, `preValidation` and `preHandler`. Says no more of Fastify's types than it must: the
 * compiler compares them again for each route.
 */
export interface FastifyGuardHook<Caller> {
  (request: object, reply: object, done: (error?: Error) => void): void;
  /** Tells the compiler who called; nothing of it is there at run time. */
  readonly [caller]?: { readonly is: Caller };
}

/** Where a route may have its guard. */
type GuardedRoute<Caller> =
  | { readonly onRequest: FastifyGuardHook<Caller> }
  | { readonly preValidation: FastifyGuardHook<Caller> }
  | { readonly preHandler: FastifyGuardHook<Caller> };

// One more way to declare a route: with a guard among its hooks the handler's request has `auth`, without it has not
// (decision 0040).
declare module 'fastify' {
  interface RouteShorthandMethod<
    RawServer extends fastify.RawServerBase = fastify.RawServerDefault,
    RawRequest extends fastify.RawRequestDefaultExpression<RawServer> = fastify.RawRequestDefaultExpression<RawServer>,
    RawReply extends fastify.RawReplyDefaultExpression<RawServer> = fastify.RawReplyDefaultExpression<RawServer>,
    TypeProvider extends fastify.FastifyTypeProvider = fastify.FastifyTypeProviderDefault,
    Logger extends fastify.FastifyBaseLogger = fastify.FastifyBaseLogger,
  > {
    <
      Caller,
      RouteGeneric extends fastify.RouteGenericInterface = fastify.RouteGenericInterface,
      ContextConfig = fastify.ContextConfigDefault,
      const SchemaCompiler extends fastify.FastifySchema = fastify.FastifySchema,
    >(
      path: string,
      opts: GuardedRoute<Caller> &
        fastify.RouteShorthandOptions<
          RawServer,
          RawRequest,
          RawReply,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >,
      handler: (
        this: FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>,
        request: FastifyRequest<
          RouteGeneric,
          RawServer,
          RawRequest,
          SchemaCompiler,
          TypeProvider,
          ContextConfig,
          Logger
        > & {
          /** Who calls. */
          readonly auth: Caller;
        },
        reply: FastifyReply<RouteGeneric, RawServer, RawRequest, RawReply, ContextConfig, SchemaCompiler, TypeProvider>,
      ) => ReturnType<
        fastify.RouteHandlerMethod<
          RawServer,
          RawRequest,
          RawReply,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >
      >,
    ): FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>;
  }
}

/** Makes the guards of an app's routes. */
export interface FastifyProtect<Words extends Terms = AnyTerms> {
  /** @throws {TypeError} when the requirement is misspelt. */
  (requirement?: CallersOnly<Words, FastifyRequest>): FastifyGuardHook<Access<Words>>;
  (requirement: Requirement<Words, FastifyRequest>): FastifyGuardHook<Access<Words> | undefined>;
  /**
   * Who called, for handlers behind a guard that stands before a plugin or the whole app.
   *
   * @throws {TypeError} when no guard has let a caller in.
   */
  readonly accessOf: (request: FastifyRequest) => Access<Words>;
  /**
   * Puts a guard before all routes that an instance, an app or a plugin, declares from now on, and tells the generators
   * of documents. What shall be public is declared outside of it.
   *
   * @throws {TypeError} when the requirement is misspelt.
   */
  readonly everything: (
    instance: Pick<FastifyInstance, 'addHook'>,
    requirement?: Requirement<Words, FastifyRequest>,
  ) => void;
}

/**
 * Protects Fastify 5 routes with a guard.
 *
 * The hook suits `onRequest` (before the body is read: the better place) and `preHandler`, for one route or, through
 * `addHook`, for a whole plugin. A guard that reads tokens from bodies must be a `preValidation` or `preHandler`.
 *
 * @example
 * import Fastify from 'fastify';
 * import { createGuard } from '@sallyport/guard';
 * import { fastifyGuard } from '@sallyport/guard/fastify';
 *
 * const protect = fastifyGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const app = Fastify();
 * app.get('/todos', { onRequest: protect({ scope: 'todos:read' }) }, async ({ auth }) => ({ owner: auth.subject }));
 */
export function fastifyGuard<Words extends Terms>(guard: Guard<Words>): FastifyProtect<Words> {
  const protect = (requirement?: Requirement<Words, FastifyRequest>) => {
    const required = guard.resolve(requirement);
    const hook = (incoming: object, outgoing: object, done: (error?: Error) => void): void => {
      // Fastify calls its hooks with its own requests and replies.
      const request = incoming as FastifyRequest;
      const reply = outgoing as FastifyReply;
      const { originalUrl: target } = request;
      const verdict = guard.check(nodeRequest(request.raw, { target, body: () => request.body }), required, request);
      const act = (settled: Verdict<Words>): void => {
        if (settled.granted) {
          attachAccess(request, settled.access);
          done();
        } else {
          const { status, headers, body } = settled.refusal;
          void reply.code(status).headers(headers).send(JSON.stringify(body));
        }
      };
      if (verdict instanceof Promise) verdict.then(act, done);
      else act(verdict);
    };
    return markProtected(hook, guard, required);
  };
  const everything: FastifyProtect<Words>['everything'] = (instance, requirement) => {
    const hook = protect(requirement);
    instance.addHook('onRequest', hook);
    instance.addHook('onRoute', (route) => addGuard(route, hook));
  };
  return Object.assign(protect, { accessOf, everything });
}

/** Notes in a route's configuration what stands before it, where generators of documents can see it. */
function addGuard(route: { config?: object }, hook: object): void {
  const guards: unknown = Reflect.get(route.config ?? {}, 'guards');
  route.config = { ...route.config, guards: [...(Array.isArray(guards) ? guards : []), hook] };
}
