import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import type { Settings } from '../environment/settings.ts';

/** What a server that has just started can say about itself. */
export interface Greeting {
  readonly url: string;
  readonly docs: string;
  readonly data: string;
  readonly secretFrom: string;
  readonly tokens: string;
  /** How to make the first administrator; undefined when there is one. */
  readonly firstAdministrator: string | undefined;
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
    tokens: `${settings.algorithm}, ${settings.accessTokenLifetime / 60} minutes, from ${facts.issuer}`,
    firstAdministrator: facts.lacksAdministrator ? firstAdministratorText(settings) : undefined,
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
    lines.push('  No administrator yet. Make the first one:', `    ${strong(greeting.firstAdministrator)}`, '');
  }
  return [...lines, faint('  Press Ctrl+C to stop.'), '', ''].join('\n');
}

function secretKeyText({ database, secretKey }: Settings, file: string | undefined): string {
  if (file !== undefined) return `${file} (keep a copy with your backups)`;
  if (secretKey !== undefined) return 'from SECRET_KEY';
  return database.kind === 'memory' ? 'random, gone when the server stops' : 'from its key file';
}

function firstAdministratorText({ database }: Settings): string {
  // A database in memory belongs to this process alone: the command line cannot reach it.
  if (database.kind === 'memory') return 'set ADMIN_USERNAME and ADMIN_PASSWORD, then start again';
  return `${commandName()} users create admin --role admin`;
}

/** How the command line is called from where this package stands. */
function commandName(): string {
  const installed = fileURLToPath(import.meta.url).includes(`${sep}node_modules${sep}`);
  return installed ? 'npx sallyport' : 'npm run sallyport --';
}
