import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';
import pg from 'pg';
import { testDatabases } from '../../packages/auth/test/databases.ts';
import type { Sample } from './flatness.ts';

/** What a database takes up. */
type Extent = Pick<Sample, 'database' | 'wal' | 'sessions' | 'changes'>;

/** A database to put under load. */
export interface SoakedDatabase {
  readonly name: string;
  readonly url: string;
  readonly measure: () => Promise<Extent>;
  readonly close: () => Promise<void>;
}

/** The databases a soak can run on, by the names its command line takes. */
export const databaseNames: Readonly<Record<string, string>> = { sqlite: 'SQLite in a file', postgres: 'PostgreSQL' };

export async function openDatabase(name: string): Promise<SoakedDatabase> {
  const database = await testDatabases.find((each) => each.name === databaseNames[name])?.start();
  if (database === undefined) throw new Error(`no database is called ${name}`);
  const { url } = await database.create();
  const extent = url.startsWith('file:') ? extentOfFile(url.slice('file:'.length)) : await extentOnServer(url);
  return {
    name: database.name,
    url,
    measure: extent.measure,
    close: async () => {
      await extent.close();
      await database.stop();
    },
  };
}

type Measuring = Pick<SoakedDatabase, 'measure' | 'close'>;

function extentOfFile(file: string): Measuring {
  const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);
  return {
    measure: () => {
      const database = new DatabaseSync(file, { readOnly: true });
      const rows = (table: string): number =>
        (database.prepare(`select count(*) as count from ${table}`).get() as { count: number }).count;
      const [sessions, changes] = [rows('sessions'), rows('feed_log')];
      database.close();
      return Promise.resolve({ database: sizeOf(file), wal: sizeOf(`${file}-wal`), sessions, changes });
    },
    close: () => Promise.resolve(),
  };
}

/** The server's write-ahead log is its administrator's to bound, by `max_wal_size`. */
async function extentOnServer(url: string): Promise<Measuring> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    measure: async () => {
      const { rows } = await client.query<Record<string, string>>(
        `select pg_database_size(current_database()) as size,
          (select count(*) from sessions) as sessions, (select count(*) from feed_log) as changes`,
      );
      const [{ size, sessions, changes } = {}] = rows;
      return { database: Number(size), wal: 0, sessions: Number(sessions), changes: Number(changes) };
    },
    close: () => client.end(),
  };
}
