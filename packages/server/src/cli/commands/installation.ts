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
];

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
