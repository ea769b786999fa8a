import { createRequire } from 'node:module';
import type * as Sqlite from '@photostructure/sqlite';

/** The interface of `node:sqlite`. */
export type SqliteModule = typeof Sqlite;

/** The first SQLite without the WAL-reset bug, which can corrupt a database that several processes write. */
const soundVersion = [3, 51, 3] as const;

/** Node's own SQLite where it is sound, else the same interface with a sound SQLite inside. */
export function loadSqlite(): SqliteModule {
  const require = createRequire(import.meta.url);
  const name = isSound(process.versions['sqlite']) ? 'node:sqlite' : '@photostructure/sqlite';
  return require(name) as SqliteModule;
}

function isSound(version: string | undefined): boolean {
  if (version === undefined) return false;
  const parts = version.split('.').map(Number);
  const [index] = soundVersion
    .map((wanted, place) => (parts[place] ?? 0) - wanted)
    .filter((difference) => difference !== 0);
  return index === undefined || index > 0;
}
