import type { Command, CommandContext, Reply } from '../command.ts';
import { madeDatabase } from '../open-context.ts';

/** Commands about the installation itself. */
export const installationCommands: readonly Command[] = [
  {
    name: 'secret',
    parameters: [],
    summary: 'print a fresh SECRET_KEY',
    options: [],
    examples: ['secret', 'secret >> .env   # then write SECRET_KEY= before it'],
    run: async () => {
      const { newSecretKey } = await import('../../environment/secret-key.ts');
      const key = newSecretKey();
      return { text: key, json: { secret_key: key } };
    },
  },
  {
    name: 'migrate',
    parameters: [],
    summary: 'bring the database to the form this version needs; serve does it too',
    options: [],
    examples: ['migrate'],
    makesDatabase: true,
    run: migrate,
  },
  {
    name: 'recover',
    parameters: [],
    summary: 'after a backup was restored: make everything issued before worthless',
    options: [],
    examples: ['recover', 'recover --json'],
    run: recover,
  },
];

/** What nobody but its operator knows about a restored database. */
const toCheck = [
  'Users made since the backup are gone; users deleted or disabled since are back: see "users list".',
  'Passwords, roles and what roles grant are those of the backup: see "users show", "roles list".',
  'Feed credentials revoked since are good again: see "feed-credentials list".',
];

async function recover(_input: unknown, context: CommandContext): Promise<Reply> {
  const { incarnation, sessions, keys, keyId } = await (await context.auth()).recover();
  const done = [
    `The database goes on as lineage ${incarnation}; nothing issued before is accepted any more:`,
    `- ${sessions === 1 ? '1 session' : `${String(sessions)} sessions`} ended: everybody signs in again.`,
    keys === 0
      ? '- SECRET_KEY signs tokens and stays: set another one if it may have been changed since the backup.'
      : `- ${keys === 1 ? '1 signing key was' : `${String(keys)} signing keys were`} revoked; ${keyId} signs now.`,
    '- Guards on the feed start over, and keep what they knew until it has expired.',
  ];
  return {
    text: [...done, '', 'Not known to anybody, so look:', ...toCheck.map((line) => `- ${line}`)].join('\n'),
    json: { incarnation, sessions, keys, key: keyId },
  };
}

async function migrate(_input: unknown, context: CommandContext): Promise<Reply> {
  const { openDatabase } = await import('../../node/opening.ts');
  const { store, madeFile } = await openDatabase(await context.settings());
  if (madeFile !== undefined) context.terminal.note(madeDatabase(madeFile));
  try {
    const { from, to } = await store.migrate();
    const done = from === to ? `is up to date (version ${to})` : `is brought from version ${from} to ${to}`;
    return { text: `The database ${done}: ${store.location}`, json: { database: store.location, from, to } };
  } finally {
    await store.close();
  }
}
