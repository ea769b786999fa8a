import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App } from './contract/contract-app.ts';

/** Serves a listener of `node:http` on a free port. */
export function listen(listener: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<App> {
  return listenWith(createServer((request, response) => void listener(request, response)));
}

/** Serves on a free port, and closes without waiting for clients. */
export async function listenWith(server: Server): Promise<App> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close };
}
