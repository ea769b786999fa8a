import type { Server } from 'node:http';
import { urlHost } from '../environment/addresses.ts';

/** Thrown when the server cannot listen; the message says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'listen_failed';
}

interface Place {
  readonly host: string;
  readonly port: number;
}

const advice: Readonly<Record<string, (place: Place) => string>> = {
  EADDRINUSE: ({ host, port }) =>
    `Port ${port} on ${host} is taken by another program. Stop it, or choose another port: PORT=${port === 65_535 ? 8000 : port + 1}`,
  EACCES: ({ port }) => `Port ${port} needs rights this user does not have. Choose one above 1023: PORT=8000`,
  EADDRNOTAVAIL: ({ host }) => `${host} is not an address of this machine. Choose one that is: HOST=127.0.0.1`,
  ENOTFOUND: ({ host }) => `The host name ${host} is not known. Choose an address of this machine: HOST=127.0.0.1`,
};

/**
 * Starts listening and tells the port.
 *
 * @throws {ListenError} `listen_failed`
 */
export function listen(server: Server, place: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      const explain = advice[error.code ?? ''];
      const message =
        explain?.(place) ?? `Cannot listen on ${urlHost(place.host)}:${place.port} (${error.code ?? 'unknown'})`;
      reject(new ListenError(message, { cause: error }));
    };
    server.once('error', refuse);
    server.listen(place.port, place.host, () => {
      server.off('error', refuse);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : place.port);
    });
  });
}
