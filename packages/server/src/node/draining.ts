import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Stops a server without cutting off the requests it is answering. */
export interface Drain {
  /**
   * Stops accepting, lets running requests finish for at most `patience` milliseconds, then closes every connection.
   * A request that has not arrived in full gets a second at most: clients cannot hold up a stop by never finishing one.
   */
  stop(patience: number): Promise<void>;
}

/** How long a request may still take to arrive when the server stops, in milliseconds. */
const arrivalPatience = 1_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Watches a server's connections from now on. `server.close` alone would wait for browsers' idle connections. */
export function watchConnections(server: Server): Drain {
  const exchanges = new Map<Socket, Exchange | undefined>();
  let stopping = false;

  server.on('connection', (socket: Socket) => {
    exchanges.set(socket, undefined);
    socket.once('close', () => exchanges.delete(socket));
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    exchanges.set(socket, { request, response });
    if (stopping) response.setHeader('Connection', 'close');
    response.once('close', () => {
      if (exchanges.get(socket)?.response !== response) return;
      exchanges.set(socket, undefined);
      if (stopping) socket.destroySoon();
    });
  });

  const closeUnfinished = (): void => {
    for (const [socket, exchange] of exchanges) if (exchange?.request.complete === false) socket.destroy();
  };
  return {
    stop: (patience) => {
      stopping = true;
      return new Promise((resolve) => {
        const timers = [
          setTimeout(closeUnfinished, Math.min(arrivalPatience, patience)),
          setTimeout(() => server.closeAllConnections(), patience),
        ];
        server.close(() => {
          for (const timer of timers) clearTimeout(timer);
          resolve();
        });
        for (const [socket, exchange] of exchanges) closeGently(socket, exchange);
      });
    },
  };
}

/** Closes an idle connection now, a busy one with the answer it is waiting for. */
function closeGently(socket: Socket, exchange: Exchange | undefined): void {
  if (exchange === undefined) socket.destroySoon();
  else if (!exchange.response.headersSent) exchange.response.setHeader('Connection', 'close');
}
