import type { Command, CommandContext, Reply } from '../command.ts';

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
    run: migrate,
  },
];

async function migrate(_input: unknown, context: CommandContext): Promise<Reply> {
  const { openStore } = await import('../../node/opening.ts');
  const store = await openStore((await context.settings()).database);
  try {
    const { from, to } = await store.migrate();
    const done = from === to ? `is up to date (version ${to})` : `is brought from version ${from} to ${to}`;
    return { text: `The database ${done}: ${store.location}`, json: { database: store.location, from, to } };
  } finally {
    await store.close();
  }
}
