import { parseEnv } from 'node:util';
import type { EnvironmentProblem } from '../environment.ts';

/** What a `.env` file says. */
export interface EnvFile {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The lines that assign nothing. Never shows their text, which may be a secret. */
  readonly problems: readonly EnvironmentProblem[];
}

/** Reads the text of a `.env` file: `NAME=value` lines, comments, and quoted values that may go over several lines. */
export function parseEnvFile(text: string): EnvFile {
  // Editors on Windows may begin the file with a byte order mark.
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const problems: EnvironmentProblem[] = [];
  // Node would read a line without = as the beginning of the next line's name.
  const kept: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (isSilent(line)) continue;
    const last = line.includes('=') ? lastLineOfValue(lines, index) : index;
    if (line.includes('=')) kept.push(...lines.slice(index, last + 1));
    else problems.push({ variable: `line ${index + 1} of .env`, problem: 'has no =', example: undefined });
    index = last;
  }
  return { variables: parseEnv(kept.join('\n')), problems };
}

function isSilent(line: string): boolean {
  return /^\s*(?:#|$)/.test(line);
}

/** Where the value that begins on a line ends: further down only when its quote is closed there. */
function lastLineOfValue(lines: readonly string[], first: number): number {
  const quoted = /^[^=]*=\s*(["'`])(.*)$/.exec(lines[first] ?? '');
  const [, quote, rest] = quoted ?? [];
  if (quote === undefined || rest?.includes(quote)) return first;
  const closing = lines.findIndex((line, index) => index > first && line.includes(quote));
  return closing === -1 ? first : closing;
}
