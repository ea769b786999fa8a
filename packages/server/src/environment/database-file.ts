import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EnvironmentError } from '../environment.ts';
import type { Database } from './database.ts';
import { errorCodeOf } from './error-code.ts';

/** How every SQLite file begins that is not empty (https://sqlite.org/fileformat.html#magic_header_string). */
const header = 'SQLite format 3\0';

/** The file of a SQLite database. */
export interface DatabaseFile {
  readonly path: string;
  readonly exists: boolean;
}

/**
 * Looks for the file that `DATABASE_URL` names, without making it; undefined for a database that is no file.
 *
 * @throws {EnvironmentError} `environment_invalid` when something else has that name
 */
export function findDatabaseFile(database: Database): DatabaseFile | undefined {
  if (database.kind !== 'file') return undefined;
  const path = resolve(database.file);
  const stats = usingDatabaseFile(path, () => statSync(path, { throwIfNoEntry: false }));
  if (stats === undefined) return { path, exists: false };
  if (stats.isDirectory()) throw unusableFile(`${path} is a directory`, `file:${join(path, 'sallyport.db')}`);
  if (!stats.isFile()) throw unusableFile(`${path} is not a file`);
  const beginning = usingDatabaseFile(path, () => beginningOf(path));
  if (beginning !== '' && beginning !== header)
    throw unusableFile(`${path} is not a SQLite database (file is not a database)`);
  return { path, exists: true };
}

/** Does something with the file; what the file system says against it is told of `DATABASE_URL`. */
export function usingDatabaseFile<Result>(path: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw unusableFile(`${path} cannot be opened (${errorCodeOf(error)})`);
  }
}

function beginningOf(path: string): string {
  const buffer = Buffer.alloc(header.length);
  const descriptor = openSync(path, 'r');
  try {
    return buffer.toString('latin1', 0, readSync(descriptor, buffer));
  } finally {
    closeSync(descriptor);
  }
}

function unusableFile(problem: string, example?: string): EnvironmentError {
  return new EnvironmentError([
    { variable: 'DATABASE_URL', problem: `is unusable: ${problem}`, example: example && `DATABASE_URL=${example}` },
  ]);
}
