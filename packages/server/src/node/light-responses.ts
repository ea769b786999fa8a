import { getRequestListener } from '@hono/node-server';

/**
 * Puts lighter classes in place of the global `Request` and `Response`: a text goes out as it is, where the global
 * `Response` makes a stream of it, at a price above that of the answer. For a process that is this server and nothing
 * else; in somebody's application their globals stay what they are.
 */
export function useLightResponses(): void {
  getRequestListener(() => new Response(null), { overrideGlobalObjects: true });
}
