import { testDatabases } from '../packages/auth/test/databases.ts';
import { startPostgres } from '../packages/auth/test/postgres-server.ts';
import type { TestDatabase } from '../packages/auth/test/test-database.ts';

/** The databases on disk, as they are used for real: what has been acknowledged is on it. */
const databases: readonly { readonly name: string; start(): Promise<TestDatabase> }[] = testDatabases
  .filter(({ name }) => name !== 'SQLite in memory')
  .map((each) => (each.name === 'PostgreSQL' ? { ...each, start: () => startPostgres({ isDurable: true }) } : each));

/** The names of {@link startDatabase}. */
export const databaseNames: readonly string[] = databases.map(({ name }) => name);

/** Starts the database that is called so. */
export async function startDatabase(name: string): Promise<TestDatabase> {
  const found = databases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no database is called ${name}`);
  return found.start();
}
