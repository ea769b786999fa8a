import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqlite } from '../src/stores/sqlite.ts';
import type { Store } from '../src/stores/store.ts';
import { startPostgres } from './postgres-server.ts';

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
  { name: 'PostgreSQL', start: startPostgres },
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
