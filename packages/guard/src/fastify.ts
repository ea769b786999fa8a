import type { preHandlerAsyncHookHandler } from 'fastify';
import type { Access, Requirement } from './access.ts';
import { nodeRequest } from './credentials/guarded-request.ts';
import type { Guard } from './guard.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls: set by a guard that granted the request; `undefined` on routes without one. */
    auth?: Access | undefined;
  }
}

/**
 * Protects Fastify 5 routes with a guard.
 *
 * The hook suits `onRequest` (before the body is read: the better place) and `preHandler`, for one route or, through
 * `addHook`, for a whole plugin.
 *
 * @example
 * import Fastify from 'fastify';
 * import { createGuard } from '@sallyport/guard';
 * import { fastifyGuard } from '@sallyport/guard/fastify';
 *
 * const protect = fastifyGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const app = Fastify();
 * app.get('/todos', { onRequest: protect({ scope: 'todos:read' }) }, async (request) => ({
 *   owner: request.auth?.subject,
 * }));
 *
 * @throws {TypeError} from `protect`, when a requirement is misspelt.
 */
export function fastifyGuard(guard: Guard): (requirement?: Requirement) => preHandlerAsyncHookHandler {
  return (requirement) => {
    const required = guard.resolve(requirement);
    return async (request, reply) => {
      const verdict = await guard.check(nodeRequest(request.raw, { target: request.originalUrl }), required);
      if (verdict.granted) {
        request.auth = verdict.access;
        return;
      }
      const { status, headers, body } = verdict.refusal;
      return reply.code(status).headers(headers).send(JSON.stringify(body));
    };
  };
}
