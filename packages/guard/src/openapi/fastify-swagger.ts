import { withSecuritySchemes } from './describe-routes.ts';
import { listIn, memberOf } from './guarded-route.ts';
import { operationOf } from './operation.ts';
import { protectionsOf } from './protections.ts';

/** What `@fastify/swagger` tells of a route. */
type DescribedRoute<Schema> = { readonly schema: Schema; readonly url: string; readonly route: object } & (
  | { readonly openapiObject: { components?: object } }
  | { readonly swaggerObject: object }
);

/** Options of `@fastify/swagger`, to be spread among others. */
export interface FastifySwaggerOptions {
  readonly transform: <Schema>(described: DescribedRoute<Schema>) => { schema: Schema; url: string };
}

const hooks = ['onRequest', 'preValidation', 'preHandler'];

/**
 * Lets `@fastify/swagger` document what the guards of an app's routes ask: spread it among the plugin's options.
 *
 * Sees the guards in a route's own options, and those of `protect.everything`; a hook added by `addHook` it cannot see.
 *
 * @example
 * import swagger from '@fastify/swagger';
 * import Fastify from 'fastify';
 * import { createGuard } from '@sallyport/guard';
 * import { fastifyGuard } from '@sallyport/guard/fastify';
 * import { describeFastify } from '@sallyport/guard/openapi';
 *
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' });
 * const protect = fastifyGuard(guard);
 * const app = Fastify();
 * await app.register(swagger, { openapi: { info: { title: 'Todos', version: '1' } }, ...describeFastify(guard) });
 * app.get('/todos', { onRequest: protect({ scope: 'todos:read' }) }, async () => []);
 */
export function describeFastify(guard: object): FastifySwaggerOptions {
  return {
    transform: ({ schema, url, route, ...about }) => {
      // The generator wants to know the schemes before it meets them.
      if ('openapiObject' in about)
        Object.assign(about.openapiObject, withSecuritySchemes(about.openapiObject, [guard]));
      const before = listIn(memberOf(route, 'config'), 'guards');
      const own = hooks.flatMap((hook) => [memberOf(route, hook)].flat());
      const operation = operationOf(protectionsOf([...before, ...own]));
      if (operation === undefined) return { schema, url };
      const stated = Object(memberOf(schema, 'response'));
      const response = { 200: { description: 'Done' }, ...operation.responses, ...stated };
      return { schema: { ...schema, security: operation.security, response }, url };
    },
  };
}
