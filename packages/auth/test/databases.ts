import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqlite } from '../src/stores/sqlite.ts';
import { startPostgres } from './postgres-server.ts';
import { sharedPostgres } from './shared-postgres.ts';
import type { TestDatabase } from './test-database.ts';

export type { EmptyDatabase, TestDatabase } from './test-database.ts';

/** Everything Sallyport keeps data in, for real. Start one per test file, do it no harm, and stop it at the end. */
export const testDatabases: readonly { readonly name: string; start(): Promise<TestDatabase> }[] = [
  { name: 'SQLite in memory', start: () => Promise.resolve(memoryDatabase()) },
  { name: 'SQLite in a file', start: fileDatabase },
  { name: 'PostgreSQL', start: async () => sharedPostgres() ?? startPostgres() },
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
