import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EnvironmentError } from '../environment.ts';
import { errorCodeOf } from './error-code.ts';
import { makePrivateFolder } from './private-folder.ts';
import { leastSecretBytes, secret } from './secret-strength.ts';
import type { Settings } from './settings.ts';

/** The secret key to use, and what its user should know about it. */
export interface ResolvedSecretKey {
  readonly secretKey: string;
  /** The file it was read from or made in. */
  readonly file: string | undefined;
  readonly warning: string | undefined;
}

/** A new secret key: 48 random bytes in 64 base64url characters, enough for every algorithm. */
export function newSecretKey(): string {
  return randomBytes(48).toString('base64url');
}

/** The file that holds the secret key of a SQLite database. */
function secretKeyFile(databaseFile: string): string {
  return join(dirname(databaseFile), 'secret.key');
}

/**
 * Finds the secret key: the one of the environment, else the key file beside the database (made when the database is
 * new), else, for a database in memory, a random one.
 *
 * @throws {EnvironmentError} `environment_invalid` when the key file is missing, weak or cannot be made
 */
export function resolveSecretKey(settings: Settings): ResolvedSecretKey {
  const { database, secretKey } = settings;
  if (secretKey !== undefined) return { secretKey, file: undefined, warning: undefined };
  if (database.kind !== 'file') return { secretKey: newSecretKey(), file: undefined, warning: undefined };
  const file = secretKeyFile(database.file);
  // First the database, then the key: whoever makes a database has made its key before.
  const databaseExists = existsSync(database.file) && statSync(database.file).size > 0;
  if (!existsSync(file)) {
    if (databaseExists)
      throw unusable(`is not set and its file ${file} is missing, but ${database.file} was made with one`);
    makeKeyFile(file);
  }
  const key = readKeyFile(file);
  const checked = secret(key);
  if ('problem' in checked) throw unusable(`in ${file} ${checked.problem}`);
  const least = leastSecretBytes(settings.algorithm);
  if (Buffer.byteLength(key) < least)
    throw unusable(`in ${file} is too short: ${settings.algorithm} needs ${least} bytes`);
  return { secretKey: key, file, warning: exposure(file) };
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw unusable(`is not set and its file ${file} cannot be read (${errorCodeOf(error)})`);
  }
}

/** Makes the key file unless another process does so first: it appears whole under its name or not at all. */
function makeKeyFile(file: string): void {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    makePrivateFolder(dirname(resolve(file)));
    writeFileSync(draft, `${newSecretKey()}\n`, { flag: 'wx', mode: 0o600, flush: true });
    try {
      linkSync(draft, file);
    } catch (error) {
      if (errorCodeOf(error) !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
  } catch (error) {
    throw unusable(`is not set and ${file} cannot be made (${errorCodeOf(error)})`);
  }
}

function exposure(file: string): string | undefined {
  const open = process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0;
  return open ? `${file} can be read by other users of this machine: run chmod 600 ${file}` : undefined;
}

function unusable(problem: string): EnvironmentError {
  return new EnvironmentError([{ variable: 'SECRET_KEY', problem, example: undefined }]);
}
