import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { EnvironmentError, readEnvironment, type EnvironmentSource, type Settings } from '../environment.ts';

/**
 * Reads the settings of this process: its environment, and `.env` in the working directory when there is one.
 *
 * @throws {EnvironmentError} `environment_invalid`, with every problem at once
 */
export function loadSettings(folder: string = process.cwd()): Settings {
  return readEnvironment(environmentSource(folder));
}

function environmentSource(folder: string): EnvironmentSource {
  const file = join(folder, '.env');
  try {
    // Editors on Windows may begin the file with a byte order mark.
    return { process: process.env, file: parseEnv(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT') return { process: process.env };
    throw new EnvironmentError([{ variable: file, problem: `cannot be read (${code})`, example: undefined }]);
  }
}
