import { guardedRoutesOfExpress } from './express-routes.ts';
import { descriptionOf } from './guard-description.ts';
import { type GuardedRoute, listIn, memberOf } from './guarded-route.ts';
import { guardedRoutesOfKoa, guardedRoutesOfKoaRouter } from './koa-routes.ts';
import { operationOf } from './operation.ts';
import { securitySchemesOf } from './security-schemes.ts';

/** An OpenAPI document, as far as guards have to do with it. */
export interface OpenApiDocument {
  readonly openapi?: string;
  readonly paths?: Readonly<Record<string, object | undefined>>;
  readonly components?: object;
}

/** How {@link describeRoutes} reads a router. */
export interface DescribeRoutesOptions {
  /** The path a router is mounted at, where that is not seen by itself. Default: none. */
  readonly prefix?: string;
}

/**
 * Writes into an OpenAPI document what the guards of an app's routes ask: security schemes, the scopes of each route and
 * the answers to whom it refuses. For Express and for Koa with `@koa/router`, whose routes nobody else documents.
 *
 * Routes the document has keep what it says of them; routes it has not are added. Does **not** see routers that Express
 * hides (before 5.2, and those of Express 4 mounted at a path with parameters): call it for each of them with its `prefix`.
 *
 * @example
 * import express from 'express';
 * import { createGuard } from '@sallyport/guard';
 * import { expressGuard } from '@sallyport/guard/express';
 * import { describeRoutes } from '@sallyport/guard/openapi';
 *
 * const protect = expressGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const app = express();
 * app.get('/todos/:id', protect({ scope: 'todos:read' }), (request, response) => response.json({}));
 *
 * const document = describeRoutes({ openapi: '3.1.0', info: { title: 'Todos', version: '1' } }, app);
 * app.get('/openapi.json', (_request, response) => response.json(document));
 *
 * @throws {TypeError} for an app that is neither Express's nor Koa's.
 * @see {@link https://spec.openapis.org/oas/v3.1.0.html#security-requirement-object OpenAPI, section 4.8.30}
 */
export function describeRoutes<Document extends OpenApiDocument>(
  document: Document,
  app: object,
  { prefix = '' }: DescribeRoutesOptions = {},
): Document & Required<Pick<OpenApiDocument, 'paths' | 'components'>> {
  const guarded = guardedRoutesOf(app, prefix).filter(({ protections }) => protections.length > 0);
  const paths = guarded.reduce(withRoute, document.paths ?? {});
  const guards = new Set(guarded.flatMap(({ protections }) => protections.map(({ guard }) => guard)));
  return withSecuritySchemes({ ...document, paths }, [...guards]);
}

/** Adds the schemes of guards to a document. */
export function withSecuritySchemes<Document extends OpenApiDocument>(
  document: Document,
  guards: readonly object[],
): Document & { readonly components: object } {
  const known = guards.map(descriptionOf).filter((guard) => guard !== undefined);
  const own = Object.assign({}, ...known.map(securitySchemesOf));
  const securitySchemes = { ...own, ...Object(memberOf(document.components, 'securitySchemes')) };
  return { ...document, components: { ...document.components, securitySchemes } };
}

function guardedRoutesOf(app: object, prefix: string): readonly GuardedRoute[] {
  const middleware = listIn(app, 'middleware');
  if (middleware.length > 0) return guardedRoutesOfKoa(middleware, prefix);
  // An app of Express 4 keeps its router in `_router`, one of Express 5 in `router`.
  const stacks = [memberOf(app, '_router'), app, ...(isExpress5(app) ? [memberOf(app, 'router')] : [])];
  const stack = stacks.map((router) => listIn(router, 'stack')).find((layers) => layers.length > 0);
  if (stack === undefined)
    throw new TypeError('describeRoutes needs an app or a router of Express or Koa, with routes');
  const isKoaRouter = stack.some((layer) => Array.isArray(memberOf(layer, 'methods')));
  return isKoaRouter ? guardedRoutesOfKoaRouter(stack, prefix) : guardedRoutesOfExpress(stack, prefix);
}

/** Asked for `router`, an app of Express 4 throws. */
function isExpress5(app: object): boolean {
  return typeof memberOf(app, 'listen') === 'function' && memberOf(app, '_router') === undefined;
}

function withRoute(paths: Required<OpenApiDocument>['paths'], route: GuardedRoute): Required<OpenApiDocument>['paths'] {
  const operation = operationOf(route.protections);
  if (operation === undefined) return paths;
  const { path, parameters } = readPath(route.path);
  const known = memberOf(paths[path], route.method);
  const responses = { ...operation.responses, ...Object(memberOf(known, 'responses')) };
  const stated = known ?? (parameters.length === 0 ? {} : { parameters });
  const described = {
    ...Object(stated),
    security: operation.security,
    responses: known === undefined ? { 200: { description: 'Done' }, ...responses } : responses,
  };
  return { ...paths, [path]: { ...paths[path], [route.method]: described } };
}

/** `/todos/:id(\\d+)`, `/todos{/:id}` and `/files/*rest` as OpenAPI writes them. */
function readPath(written: string): { path: string; parameters: readonly object[] } {
  const path = written
    .replaceAll(/[{}]/g, '')
    .replaceAll(/[:*](\w+)(?:\([^)]*\))?[?*+]?/g, '{$1}')
    .replace(/(?<=.)\/$/, '');
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const schema = { type: 'string' };
  return { path, parameters: names.map((name) => ({ name, in: 'path', required: true, schema })) };
}
