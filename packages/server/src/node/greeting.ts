import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import type { Settings } from '../environment/settings.ts';
import { variables, type VariableName } from '../environment/variables.ts';

/** What a server that has just started can say about itself. */
export interface Greeting {
  readonly url: string;
  readonly docs: string;
  readonly data: string;
  readonly secretFrom: string;
  readonly tokens: string;
  /** How to make the first administrator; undefined when there is one. */
  readonly firstAdministrator: string | undefined;
  /** The variables this needs as well, whose values are never shown. */
  readonly secretsNeeded: string | undefined;
}

/** Collects the facts of a start. */
export function greetingOf(
  settings: Settings,
  facts: {
    readonly url: string;
    readonly issuer: string;
    readonly location: string;
    readonly secretKeyFile: string | undefined;
    readonly lacksAdministrator: boolean;
  },
): Greeting {
  return {
    url: facts.url,
    docs: `${facts.url}/docs`,
    data: facts.location,
    secretFrom: secretKeyText(settings, facts.secretKeyFile),
    tokens: `${settings.algorithm}, ${minutesText(settings.accessTokenLifetime)}, from ${facts.issuer}`,
    firstAdministrator: facts.lacksAdministrator ? firstAdministratorText(settings) : undefined,
    secretsNeeded: facts.lacksAdministrator ? secretsText(settings) : undefined,
  };
}

/** The start-up lines as a person reads them. */
export function renderGreeting(greeting: Greeting, version: string, colors: boolean): string {
  const strong = (text: string): string => (colors ? styleText('bold', text) : text);
  const faint = (text: string): string => (colors ? styleText('dim', text) : text);
  const row = (name: string, text: string): string => `  ${faint(name.padEnd(8))}${text}`;
  const lines = [
    '',
    `  ${strong('Sallyport')} ${faint(version)}`,
    '',
    row('Server', strong(greeting.url)),
    row('Docs', strong(greeting.docs)),
    row('Data', greeting.data),
    row('Secret', greeting.secretFrom),
    row('Tokens', greeting.tokens),
    '',
  ];
  if (greeting.firstAdministrator !== undefined) {
    const also = greeting.secretsNeeded === undefined ? '' : `, with the same ${greeting.secretsNeeded}`;
    lines.push(`  No administrator yet. Make the first one${also}:`, `    ${strong(greeting.firstAdministrator)}`, '');
  }
  return [...lines, faint('  Press Ctrl+C to stop.'), '', ''].join('\n');
}

function secretKeyText({ database, secretKey }: Settings, file: string | undefined): string {
  if (file !== undefined) return `${file} (keep a copy with your backups)`;
  if (secretKey !== undefined) return 'from SECRET_KEY';
  return database.kind === 'memory' ? 'random, gone when the server stops' : 'from its key file';
}

function minutesText(seconds: number): string {
  const minutes = seconds / 60;
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

function firstAdministratorText(settings: Settings): string {
  // A database in memory belongs to this process alone: the command line cannot reach it.
  if (settings.database.kind === 'memory') return 'set ADMIN_USERNAME and ADMIN_PASSWORD, then start again';
  return [...assignments(settings), commandName(), 'users create admin --role admin'].join(' ');
}

/** What the command line needs to be told to work on this database, with these keys and this port, unless it is the default. */
function assignments({ database, algorithm, issuer, port }: Settings): readonly string[] {
  const values: readonly (readonly [name: VariableName, value: string | undefined])[] = [
    ['DATABASE_URL', database.kind === 'file' ? `file:${database.file}` : undefined],
    ['ALGORITHM', algorithm],
    // It is part of the default issuer alone, and 0 says nothing.
    ['PORT', issuer === undefined && port !== 0 ? String(port) : undefined],
  ];
  return values.flatMap(([name, value]) =>
    value === undefined || value === variables[name].fallback ? [] : [`${name}=${shellWord(value)}`],
  );
}

/** What it needs besides, and what is for nobody's screen: the URL of a PostgreSQL database holds its password. */
function secretsText({ database, secretKey }: Settings): string | undefined {
  if (secretKey === undefined || database.kind === 'memory') return undefined;
  return database.kind === 'postgres' ? 'DATABASE_URL and SECRET_KEY' : 'SECRET_KEY';
}

/** A text as one word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** How the command line is called from where this package stands. */
function commandName(): string {
  const installed = fileURLToPath(import.meta.url).includes(`${sep}node_modules${sep}`);
  return installed ? 'npx sallyport' : 'npm run sallyport --';
}
