import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError, readEnvironment, type EnvironmentSource, type Settings } from '../environment.ts';
import { parseEnvFile } from './env-file.ts';
import { errorCodeOf } from './error-code.ts';

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
    const { variables, problems } = parseEnvFile(readFileSync(file, 'utf8'));
    return { process: process.env, file: variables, fileProblems: problems };
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'ENOENT') return { process: process.env };
    throw new EnvironmentError([{ variable: file, problem: `cannot be read (${code})`, example: undefined }]);
  }
}
