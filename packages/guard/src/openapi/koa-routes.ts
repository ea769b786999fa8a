import { type GuardedRoute, listIn, memberOf } from './guarded-route.ts';
import { type Protection, protectionsOf } from './protections.ts';

/** Finds the guarded routes in the middleware of a Koa app whose routers are those of `@koa/router`. */
export function guardedRoutesOfKoa(middleware: readonly unknown[], prefix: string): readonly GuardedRoute[] {
  const standing: Protection[] = [];
  return middleware.flatMap((each) => {
    standing.push(...protectionsOf([each]));
    return guardedRoutesOfKoaRouter(listIn(memberOf(each, 'router'), 'stack'), prefix, standing);
  });
}

/** Finds the guarded routes in the stack of a router: a layer without methods stands before those that follow. */
export function guardedRoutesOfKoaRouter(
  stack: readonly unknown[],
  prefix: string,
  before: readonly Protection[] = [],
): readonly GuardedRoute[] {
  const standing: { readonly matches: RegExp; readonly protections: readonly Protection[] }[] = [];
  return stack.flatMap((layer) => {
    const [methods, path, regexp] = [listIn(layer, 'methods'), memberOf(layer, 'path'), memberOf(layer, 'regexp')];
    const protections = protectionsOf(listIn(layer, 'stack'));
    if (typeof path !== 'string') return [];
    if (methods.length === 0 && regexp instanceof RegExp) standing.push({ matches: regexp, protections });
    const outer = standing.filter(({ matches }) => matches.test(path)).flatMap((each) => each.protections);
    return methods
      .filter((method) => typeof method === 'string' && method !== 'HEAD')
      .map((method) => ({
        path: `${prefix}${path}`,
        method: String(method).toLowerCase(),
        protections: [...before, ...outer, ...protections],
      }));
  });
}
