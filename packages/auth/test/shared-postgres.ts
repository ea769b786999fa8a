import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postgres } from '../src/stores/postgres.ts';
import type { TestDatabase } from './test-database.ts';

/** Where the test run keeps its PostgreSQL; not set where something else than vitest runs. */
const variable = 'SALLYPORT_TEST_POSTGRES';

/**
 * Keeps one PostgreSQL for all test files of a run that do it no harm: starting one takes longer than most files do. It
 * is started when the first of them asks. Vitest calls this, and what it returns in the end.
 */
export async function setup(): Promise<() => Promise<void>> {
  let server: Promise<TestDatabase> | undefined;
  const start = async (): Promise<TestDatabase> => (await import('./postgres-server.ts')).startPostgres();
  const keeper = createServer((_request, response) => {
    server ??= start();
    const answer = (status: number, text: string): void => void response.writeHead(status).end(text);
    server
      .then((started) => started.create())
      .then(
        ({ url }) => answer(200, url),
        (error: unknown) => answer(500, String(error)),
      );
  });
  keeper.listen(0, '127.0.0.1');
  await once(keeper, 'listening');
  process.env[variable] = `http://127.0.0.1:${(keeper.address() as AddressInfo).port}`;
  return async () => {
    keeper.close();
    keeper.closeAllConnections();
    await (await server)?.stop();
  };
}

/** Databases on the PostgreSQL of the test run; undefined where there is none. */
export function sharedPostgres(): TestDatabase | undefined {
  const keeper = process.env[variable];
  if (keeper === undefined) return undefined;
  return {
    name: 'PostgreSQL',
    create: async () => {
      const response = await fetch(keeper);
      const url = await response.text();
      if (!response.ok) throw new Error(url);
      return { url, connect: () => postgres(url) };
    },
    // They go with their server: to drop one, it would write all others to the disk first.
    stop: () => Promise.resolve(),
  };
}
