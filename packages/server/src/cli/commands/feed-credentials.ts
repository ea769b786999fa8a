import { showFeedCredential } from '../../representations.ts';
import { requiredParameter, type Command } from '../command.ts';
import { textTable, textTime } from '../text-table.ts';

export const feedCredentialCommands: readonly Command[] = [
  {
    name: 'feed-credentials create',
    parameters: ['<name>'],
    summary: 'make a credential for a guard and print it, this once; it follows the feed and asks about tokens',
    options: [],
    examples: ['feed-credentials create todos', 'feed-credentials create todos --json'],
    run: async (input, context) => {
      const { feed } = await context.auth();
      const { credential, ...about } = await feed.credentials.create(requiredParameter(input, 0));
      const text = `${credential}\n\nGive it to the guard (FEED_CREDENTIAL). It is shown this once, and kept as a hash.`;
      return { text, json: { credential, ...showFeedCredential(about) } };
    },
  },
  {
    name: 'feed-credentials list',
    parameters: [],
    summary: 'list the feed credentials, without their secrets',
    options: [],
    examples: ['feed-credentials list'],
    run: async (_input, context) => {
      const credentials = await (await context.auth()).feed.credentials.list();
      const rows = credentials.map(({ name, id, createdAt }) => [name, id, textTime(createdAt)]);
      return { text: textTable(['NAME', 'ID', 'MADE'], rows), json: { items: credentials.map(showFeedCredential) } };
    },
  },
  {
    name: 'feed-credentials revoke',
    parameters: ['<name>'],
    summary: 'take a feed credential back: refused at once, streams opened with it end',
    options: [],
    examples: ['feed-credentials revoke todos'],
    run: async (input, context) => {
      const { name } = await (await context.auth()).feed.credentials.revoke(requiredParameter(input, 0));
      const text = `Revoked ${name}. Guards that have no other stop granting when they have not heard for as long as they may.`;
      return { text, json: { revoked: name } };
    },
  },
];
