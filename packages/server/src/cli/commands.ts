import type { Command } from './command.ts';
import { feedCredentialCommands } from './commands/feed-credentials.ts';
import { installationCommands } from './commands/installation.ts';
import { keyCommands } from './commands/keys.ts';
import { roleCommands } from './commands/roles.ts';
import { serveCommand } from './commands/serve.ts';
import { sessionCommands } from './commands/sessions.ts';
import { tokenCommands } from './commands/tokens.ts';
import { userCommands } from './commands/users.ts';

/** The table of commands, in the order of the help. To add one, add a row to the file of its subject. */
export const commands: readonly Command[] = [
  serveCommand,
  ...userCommands,
  ...roleCommands,
  ...sessionCommands,
  ...keyCommands,
  ...tokenCommands,
  ...feedCredentialCommands,
  ...installationCommands,
];
