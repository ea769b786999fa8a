import type { Parse } from './parsed.ts';

/** Where users, sessions and keys are kept. */
export type Database =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string }
  | { readonly kind: 'memory' };

/** Clearly the name of a file, so that showing it gives no password away. */
const databaseFileName = /^[\w./-]+\.(?:db|sqlite3?)$/;

const forms = 'must be file:PATH, postgres://USER:PASSWORD@HOST/NAME or memory:';

/** Reads `DATABASE_URL`. What follows `file:` is a path as it is, relative to the working directory. */
export const database: Parse<Database> = (text) => {
  if (text === 'memory:') return { value: { kind: 'memory' } };
  if (text.startsWith('file:')) return sqliteFile(text.slice('file:'.length));
  const url = /^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined) return { value: { kind: 'postgres', url: text } };
  return databaseFileName.test(text) ? { problem: forms, example: `file:${asPath(text)}` } : { problem: forms };
};

function asPath(name: string): string {
  return /^\.{0,2}\//.test(name) ? name : `./${name}`;
}

function sqliteFile(rest: string): ReturnType<Parse<Database>> {
  const file = rest.startsWith('///') ? rest.slice(2) : rest;
  if (file === ':memory:') return { problem: 'must be memory: to keep everything in memory' };
  if (file === '' || file.endsWith('/') || file.startsWith('//') || /[?#\0]/.test(file)) {
    return { problem: `${forms}; PATH is a plain path without query` };
  }
  return { value: { kind: 'file', file } };
}
