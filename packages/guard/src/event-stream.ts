import type { ServerResponse } from 'node:http';
import type { Access, Requirement, Terms } from './access.ts';
import type { Guard } from './guard.ts';
import type { Refusal } from './refusal.ts';
import type { Watch } from './watch.ts';

/** How long a client may take to read the end, in milliseconds, before the connection is cut. */
const patienceWithReaders = 1000;

/**
 * Ends a stream of server-sent events when the access it was opened with is lost: by expiry, revocation or too little
 * right. Call it when the stream has begun.
 *
 * The last event is `access-lost` with the refusal as data: its `code` says whether to refresh or to sign in again. An
 * `EventSource` then connects anew and gets the same refusal over HTTP, unless it has a better token. `response` is that
 * of `node:http`: `response` in Express, `reply.raw` in Fastify, `ctx.res` in Koa.
 *
 * @example
 * import express from 'express';
 * import { createGuard } from '@sallyport/guard';
 * import { guardEventStream } from '@sallyport/guard/event-stream';
 * import { expressGuard } from '@sallyport/guard/express';
 *
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' });
 * const protect = expressGuard(guard);
 * const news = { scope: 'news:read' };
 * express().get('/news', protect(news), ({ auth }, response) => {
 *   response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
 *   guardEventStream(guard, response, auth, news);
 *   const timer = setInterval(() => response.write('data: tick\\n\\n'), 1000);
 *   response.on('close', () => clearInterval(timer));
 * });
 *
 * @throws {TypeError} for an access that none of our guards has granted, and for a misspelt requirement.
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html HTML, section 9.2}
 */
export function guardEventStream<Words extends Terms, Context>(
  guard: Guard<Words>,
  response: ServerResponse,
  access: Access<Words>,
  requirement?: Requirement<Words, Context>,
  context?: Context,
): Watch<Words> {
  const end = ({ body }: Refusal): void => {
    // The application may be about to write; after the end Node makes that an error.
    response.on('error', () => undefined);
    response.end(`event: access-lost\ndata: ${JSON.stringify(body)}\n\n`);
    setTimeout(() => response.destroy(), patienceWithReaders).unref();
  };
  const watch = guard.watch(access, end, requirement, context);
  response.on('close', () => {
    watch.stop();
  });
  return watch;
}
