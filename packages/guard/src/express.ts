import type { RequestHandler } from 'express';
import type { Access, Requirement } from './access.ts';
import { nodeRequest } from './credentials/guarded-request.ts';
import type { Guard } from './guard.ts';

declare global {
  namespace Express {
    interface Request {
      /** Who calls: set by a guard that granted the request; `undefined` on routes without one. */
      auth?: Access | undefined;
    }
  }
}

/**
 * Protects Express 5 routes with a guard.
 *
 * Put the handler on the route it protects. Mounted by path (`app.use('/admin', protect())`) it guards what that path
 * pattern matches and nothing else.
 *
 * @example
 * import express from 'express';
 * import { createGuard } from '@sallyport/guard';
 * import { expressGuard } from '@sallyport/guard/express';
 *
 * const protect = expressGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const app = express();
 * app.get('/todos', protect({ scope: 'todos:read' }), (request, response) => {
 *   response.json({ owner: request.auth?.subject });
 * });
 *
 * @throws {TypeError} from `protect`, when a requirement is misspelt.
 */
export function expressGuard(guard: Guard): (requirement?: Requirement) => RequestHandler {
  return (requirement) => {
    const required = guard.resolve(requirement);
    return async (request, response, next) => {
      const verdict = await guard.check(nodeRequest(request, { target: request.originalUrl }), required);
      if (verdict.granted) {
        request.auth = verdict.access;
        next();
        return;
      }
      const { status, headers, body } = verdict.refusal;
      response.status(status).set(headers).end(JSON.stringify(body));
    };
  };
}
