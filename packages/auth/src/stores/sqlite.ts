import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { sqlStore } from './sql/sql-store.ts';
import { SqliteDialect } from './sqlite/dialect.ts';
import { Reader } from './sqlite/reader.ts';
import { Doorbell } from './sqlite/doorbell.ts';
import { memoryWriter, threadWriter } from './sqlite/writer.ts';
import type { Store } from './store.ts';
import { LocalWakeups } from './wakeups.ts';
import { translatingErrors } from './unavailable.ts';

/**
 * SQLite's result codes for a database that cannot be used now: work undone, busy, locked, read-only, I/O error, corrupt,
 * full, cannot open, not a database.
 */
const unavailable = new Set([4, 5, 6, 8, 10, 11, 13, 14, 26]);

/** How long a transaction waits for other processes before it fails, in milliseconds. */
const patience = 5_000;

/**
 * Keeps everything in one SQLite file, or in memory with `:memory:`.
 *
 * Several processes may use one file. The folder is made when it is missing. Writes are durable when they are
 * acknowledged (write-ahead log, `synchronous=full`); until the store is closed, some stand in a file named `…-wal` beside it.
 * A file named `…-bell` wakes the other processes when the log of changes grows. Makes the file, readable by its owner alone,
 * when it is missing; throws what the file system says when it cannot.
 *
 * @example
 * import { sqlite } from '@sallyport/auth/sqlite';
 *
 * const store = sqlite('data/app.db');
 */
export function sqlite(file: string): Store {
  const inMemory = file === ':memory:';
  return sqlStore({
    kysely: translatingErrors(inMemory ? new SqliteDialect(memoryWriter()) : fileDialect(file), isUnavailable),
    dialect: { name: 'sqlite', bytes: 'blob' },
    wakeups: inMemory ? new LocalWakeups() : new Doorbell(doorbellOf(file)),
    location: inMemory ? 'memory (gone when the process ends)' : resolve(file),
  });
}

function fileDialect(file: string): SqliteDialect {
  makePrivate(file);
  return new SqliteDialect(
    threadWriter({ file: resolve(file), patience, doorbell: doorbellOf(file) }),
    new Reader(resolve(file)),
  );
}

function doorbellOf(file: string): string {
  return `${resolve(file)}-bell`;
}

/** Makes folder and file readable by their owner alone, before SQLite makes them readable by anybody. */
function makePrivate(file: string): void {
  makeFolder(dirname(resolve(file)));
  closeSync(openSync(file, 'a', 0o600));
}

/** Level by level: where folders cannot be made, Node's recursive way may try for ever. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process that starts at the same time was faster.
    if (!existsSync(folder)) throw error;
  }
}

/** The same where the driver gives the message alone. */
const unavailableText =
  /database is locked|database table is locked|readonly database|disk I\/O error|malformed|disk is full|unable to open|not a database/;

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'errcode' in error ? error.errcode : undefined;
  if (code === undefined) return unavailableText.test(error.message);
  // The low byte is the primary result code; the rest says where it happened.
  return typeof code === 'number' && unavailable.has(code & 0xff);
}
