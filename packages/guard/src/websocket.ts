import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Access, AnyTerms, CallersOnly, Terms } from './access.ts';
import { AccessRefusedError } from './access-refused-error.ts';
import { nodeRequest } from './credentials/guarded-request.ts';
import type { Guard } from './guard.ts';
import type { Refusal } from './refusal.ts';
import type { Watch } from './watch.ts';

/** What a connection's handler gets besides the socket. */
export interface GuardedConnection<Words extends Terms = AnyTerms> {
  /** Who called, with the rights that hold at the moment. */
  readonly access: Access<Words>;
  /** Goes on with another token of the same caller, sent over the socket; answers why not, or `undefined`. */
  readonly renew: Watch<Words>['renew'];
  /** The request that became the connection. */
  readonly request: IncomingMessage;
}

/** A listener for the `upgrade` events of a server of `node:http`. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Puts a guard before the connections of a WebSocket server. */
export type WebSocketProtect<Words extends Terms = AnyTerms> = (
  server: WebSocketServer,
  requirement: CallersOnly<Words, IncomingMessage>,
  handler: (socket: WebSocket, connection: GuardedConnection<Words>) => unknown,
) => UpgradeListener;

/** How long a client may take to answer a close, in milliseconds, before the connection is cut. */
const patienceWithClose = 1000;

/** What a WebSocket is closed with when its access is lost: 1013 to come again later, else 4000 and the HTTP status. */
export function closeCodeOf({ status }: Refusal): number {
  return status === 503 ? 1013 : 4000 + status;
}

/**
 * Protects the connections of a WebSocket server (`ws` 8) with a guard, from the handshake to the end.
 *
 * A handshake that is refused is answered over HTTP. A connection whose token expires or is revoked, or whose caller no
 * longer meets the requirement, is closed with 4401 (sign in or refresh), 4403 (too little right) or 1013 (come again
 * later), and the code of the refusal as reason; nothing it sends is heard from then on. Browsers let every page open a
 * WebSocket: with a cookie as credential the page's origin must be one of `trustedOrigins`.
 *
 * @example
 * import { createServer } from 'node:http';
 * import { createGuard } from '@sallyport/guard';
 * import { websocketGuard } from '@sallyport/guard/websocket';
 * import { WebSocketServer } from 'ws';
 *
 * const protect = websocketGuard(createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' }));
 * const sockets = new WebSocketServer({ noServer: true });
 * const chat = protect(sockets, { scope: 'chat' }, (socket, { access, renew }) => {
 *   socket.send(`Welcome, ${access.subject}`);
 *   // A client that sends its next token before this one expires stays connected.
 *   socket.on('message', (data) => void renew(String(data)));
 * });
 * createServer().on('upgrade', chat).listen(8001);
 */
export function websocketGuard<Words extends Terms>(guard: Guard<Words>): WebSocketProtect<Words> {
  return (server, requirement, handler) => {
    const required = guard.resolve(requirement);
    const open = (webSocket: WebSocket, access: Access<Words>, request: IncomingMessage): void => {
      const lose = (refusal: Refusal): void => close(webSocket, closeCodeOf(refusal), refusal.body.code);
      const watch = guard.watch(access, lose, required, request);
      webSocket.on('close', () => watch.stop());
      const handle = async (): Promise<unknown> => handler(webSocket, connectionOf(watch, request));
      handle().catch((error: unknown) => {
        if (error instanceof AccessRefusedError) lose(error.refusal);
        else fail(error, () => close(webSocket, brokenHandler, ''));
      });
    };
    return (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      // To open a connection is no mere read, whatever its method says.
      const opening = { ...nodeRequest(request), method: 'UPGRADE' };
      const check = async (): Promise<void> => {
        const verdict = await guard.check(opening, required, request);
        const access = verdict.granted ? verdict.access : undefined;
        if (access === undefined) answer(socket, verdict.granted ? broken : verdict.refusal);
        else server.handleUpgrade(request, socket, head, (webSocket) => open(webSocket, access, request));
      };
      check().catch((error: unknown) => fail(error, () => answer(socket, broken)));
    };
  };
}

/** RFC 6455, section 7.4.1. */
const brokenHandler = 1011;

const broken = { status: 500, headers: {}, body: { title: 'Internal Server Error' } } as const;

function connectionOf<Words extends Terms>(watch: Watch<Words>, request: IncomingMessage): GuardedConnection<Words> {
  return {
    get access() {
      return watch.access;
    },
    renew: (token) => watch.renew(token),
    request,
  };
}

/** Hears nothing more from the other side, but lets it hear why. */
function close(webSocket: WebSocket, code: number, reason: string): void {
  // Until the client answers the close, what it sends would be heard; so would, at the end, what a pause held back.
  webSocket.removeAllListeners('message');
  webSocket.close(code, reason);
  setTimeout(() => webSocket.terminate(), patienceWithClose).unref();
}

/** Answers a handshake as HTTP. */
function answer(
  socket: Duplex,
  { status, headers, body }: Pick<Refusal, 'headers'> & { status: number; body: { title: string } },
): void {
  const text = JSON.stringify(body);
  const all = { ...headers, 'content-length': String(Buffer.byteLength(text)), connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.once('finish', () => socket.destroy());
  socket.end([`HTTP/1.1 ${String(status)} ${body.title}`, ...lines, '', text].join('\r\n'));
}

function fail(error: unknown, act: () => void): void {
  process.emitWarning(error instanceof Error ? error : String(error));
  act();
}
