import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Stops a server without cutting off the requests it is answering. */
export interface Drain {
  /** Stops accepting, lets running requests finish for at most `patience` milliseconds, then closes every connection. */
  stop(patience: number): Promise<void>;
}

/** Watches a server's connections from now on. `server.close` alone would wait for browsers' idle connections. */
export function watchConnections(server: Server): Drain {
  const answering = new Map<Socket, ServerResponse | undefined>();
  let stopping = false;

  server.on('connection', (socket: Socket) => {
    answering.set(socket, undefined);
    socket.once('close', () => answering.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    answering.set(socket, response);
    if (stopping) response.setHeader('Connection', 'close');
    response.once('close', () => {
      if (answering.get(socket) !== response) return;
      answering.set(socket, undefined);
      if (stopping) socket.destroySoon();
    });
  });

  return {
    stop: (patience) => {
      stopping = true;
      return new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), patience);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        for (const [socket, response] of answering) {
          if (response === undefined) socket.destroySoon();
          else if (!response.headersSent) response.setHeader('Connection', 'close');
        }
      });
    },
  };
}
