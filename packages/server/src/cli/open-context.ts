import type { Auth, AuthEvent } from '@sallyport/auth';
import type { Settings } from '../environment/settings.ts';
import type { Command, CommandContext } from './command.ts';
import { DatabaseMissingError } from './errors.ts';
import type { Terminal } from './terminal.ts';

/** A command's context, and how to leave it. */
export interface OpenContext {
  readonly context: CommandContext;
  /** Closes what the command opened. */
  readonly close: () => Promise<void>;
}

/** Prepares a context; the environment is read and the database opened when the command first asks. */
export function openContext(command: Command, terminal: Terminal, json: boolean): OpenContext {
  const events: AuthEvent[] = [];
  let reading: Promise<Settings> | undefined;
  let opening: Promise<Auth> | undefined;

  const settings = (): Promise<Settings> => (reading ??= readSettings());
  const openEngine = async (): Promise<Auth> => {
    const { openAuth } = await import('../node/opening.ts');
    const chosen = await settings();
    if (!command.makesDatabase) await requireDatabase(chosen);
    const opened = await openAuth(chosen, { onEvent: (event) => void events.push(event) });
    if (opened.madeFile !== undefined) terminal.note(madeDatabase(opened.madeFile));
    for (const warning of opened.warnings) terminal.note(`warning: ${warning}`);
    if (chosen.database.kind === 'memory') {
      terminal.note(
        'warning: DATABASE_URL is memory:, so this command works on a database of its own that ends with it',
      );
    }
    return opened.auth;
  };
  return {
    context: { terminal, json, events, settings, auth: () => (opening ??= openEngine()) },
    close: async () => {
      // An engine that failed to open has told its caller already.
      const auth = await opening?.catch(() => undefined);
      await auth?.close();
    },
  };
}

/** What a command says when it made a database: nobody should do so unawares. */
export function madeDatabase(file: string): string {
  return `made a new database at ${file}`;
}

async function requireDatabase({ database }: Settings): Promise<void> {
  const { findDatabaseFile } = await import('../environment/database-file.ts');
  const file = findDatabaseFile(database);
  if (file?.exists === false) throw new DatabaseMissingError(`there is no database at ${file.path} (DATABASE_URL)`);
}

/** Loaded only when asked for: `--help` and wrong usage must answer at once. */
async function readSettings(): Promise<Settings> {
  const { loadSettings } = await import('../environment/source.ts');
  return loadSettings();
}
