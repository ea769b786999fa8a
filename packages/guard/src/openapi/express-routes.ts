import { type GuardedRoute, listIn, memberOf, protectionsBefore, type StandingGuard } from './guarded-route.ts';
import { protectionsOf } from './protections.ts';

/**
 * Finds the guarded routes in a router's stack, of Express 4 and 5. What such a stack holds is documented nowhere; what is
 * not found as expected is passed over.
 */
export function guardedRoutesOfExpress(
  stack: readonly unknown[],
  prefix: string,
  before: readonly StandingGuard[] = [],
): readonly GuardedRoute[] {
  const standing = [...before];
  return stack.flatMap((layer) => {
    const route = memberOf(layer, 'route');
    if (route !== undefined && route !== null) return routesIn(route, prefix, standing);
    const handle = memberOf(layer, 'handle');
    const mounts = mountsOf(layer).map((mount) => `${prefix}${mount}`);
    standing.push(...mounts.map((mount) => ({ mount, protections: protectionsOf([handle]) })));
    return mounts.flatMap((mount) => guardedRoutesOfExpress(listIn(handle, 'stack'), mount, standing));
  });
}

function routesIn(route: unknown, prefix: string, standing: readonly StandingGuard[]): readonly GuardedRoute[] {
  const handlers = listIn(route, 'stack');
  const methods = new Set(handlers.map((handler) => memberOf(handler, 'method')));
  const paths = [memberOf(route, 'path')].flat().filter((path) => typeof path === 'string');
  return paths.flatMap((ownPath) =>
    [...methods].flatMap((method): readonly GuardedRoute[] => {
      if (!isDocumented(method)) return [];
      const path = `${prefix}${ownPath}`;
      // Handlers without a method are those of `all`.
      const run = handlers.filter((handler) => [method, undefined].includes(memberOf(handler, 'method') as string));
      const own = protectionsOf(run.map((handler) => memberOf(handler, 'handle')));
      return [{ path, method, protections: [...protectionsBefore(path, standing), ...own] }];
    }),
  );
}

/** OpenAPI knows fewer methods than Express, and `all` stands for each of them. */
function isDocumented(method: unknown): method is string {
  return typeof method === 'string' && documentedMethods.includes(method);
}

const documentedMethods: readonly string[] = ['get', 'put', 'post', 'delete', 'patch'];

// How Express 4 writes a mount path without parameters: /^\/api\/?(?=\/|$)/i
const mountOfExpress4 = /^\^((?:\\\/[\w.~-]+)*)\\\/\?\(\?=\\\/\|\$\)$/;

/** Where something is mounted; nowhere when that cannot be told. Express 5 before 5.2 keeps no mount path. */
function mountsOf(layer: unknown): readonly string[] {
  const rawPath = [memberOf(layer, 'rawPath')].flat().filter((path) => typeof path === 'string');
  if (rawPath.length > 0) return rawPath.map((path) => path.replace(/\/$/, ''));
  const regexp = memberOf(layer, 'regexp');
  const mount = regexp instanceof RegExp ? mountOfExpress4.exec(regexp.source)?.[1] : undefined;
  return mount === undefined ? [] : [mount.replaceAll('\\/', '/')];
}
