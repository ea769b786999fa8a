import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError, getRequestListener } from '@hono/node-server';
import { isEventStream } from './event-stream.ts';
import type { RequestInfo } from './exchange.ts';
import type { Handler } from './handler.ts';

/** A listener for `node:http` that is Express middleware as well. */
export type NodeListener = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error: unknown) => void,
) => void;

/** What Express adds to Node's request. */
interface MountedRequest extends IncomingMessage {
  readonly ip?: string;
  readonly baseUrl?: string;
}

/**
 * Makes a handler answer `node:http` and Express requests, below any base path.
 *
 * Answers everything below its path, unknown paths with 404. The client's address is Express's `request.ip`, so set
 * Express's `trust proxy` to what is true; without Express it is the socket's. Does **not** work behind
 * `express.json()` or another body parser, which leaves nothing to read: mount it before them.
 *
 * @example
 * import { createAuth } from '@sallyport/auth';
 * import { sqlite } from '@sallyport/auth/sqlite';
 * import express from 'express';
 * import { createHandler, expressHandler } from 'sallyport';
 *
 * const secretKey = process.env.SECRET_KEY ?? '';
 * const auth = await createAuth({ issuer: 'https://example.com/auth', store: sqlite('app.db'), secretKey });
 * const app = express();
 * app.use('/auth', expressHandler(createHandler(auth)));
 */
export function expressHandler(handler: Handler): NodeListener {
  return (incoming: MountedRequest, outgoing, next) => {
    if (incoming.readableDidRead) {
      const problem = new Error(
        'Mount the Sallyport handler before body parsers such as express.json(): they read its bodies',
      );
      if (next === undefined) throw problem;
      next(problem);
      return;
    }
    answerIncoming(
      handler,
      { address: incoming.ip ?? incoming.socket.remoteAddress, basePath: incoming.baseUrl },
      incoming,
      outgoing,
    );
  };
}

/** HTTP/1.0 knows requests without `Host`. Which one stands in matters to nobody: URLs come from the issuer. */
const STAND_IN_HOST = 'localhost';

/** After how long a connection is closed over which nothing of a stream could be sent, in milliseconds. */
const STREAM_TIMEOUT = 30_000;

/**
 * Answers one `node:http` request by a handler; what makes no URL is handed to it as `unreadable`.
 *
 * Writes to the response and returns nothing: the handler does the logging.
 */
export function answerIncoming(
  handler: Handler,
  info: RequestInfo,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const answerFully: Handler = async (request, about) => {
    const response = await handler(request, about);
    // A stream is never silent for so long: whoever does not read it holds nothing here for ever.
    if (isEventStream(response)) outgoing.setTimeout(STREAM_TIMEOUT);
    return response;
  };
  const answer = getRequestListener((request) => answerFully(request, info), {
    hostname: STAND_IN_HOST,
    overrideGlobalObjects: false,
    errorHandler: async (error) => {
      if (!(error instanceof RequestError)) return new Response(null, { status: 500 });
      const { method = '', url: target = '' } = incoming;
      const standIn = new Request(`http://${STAND_IN_HOST}/`, { headers: readHeaders(incoming) });
      return handler(standIn, { ...info, unreadable: { method, target } });
    },
  });
  void answer(incoming, outgoing);
}

function readHeaders({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, lines = []] of Object.entries(headersDistinct)) {
    for (const line of lines) headers.append(name, line);
  }
  return headers;
}
