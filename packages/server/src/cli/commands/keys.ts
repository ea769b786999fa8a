import type { SigningKeyInfo } from '@sallyport/auth';
import { showSigningKey } from '../../representations.ts';
import type { Command } from '../command.ts';
import { textTable, textTime } from '../text-table.ts';

export const keyCommands: readonly Command[] = [
  {
    name: 'keys list',
    parameters: [],
    summary: 'list the signing keys and their stage',
    options: [],
    examples: ['keys list'],
    run: async (_input, context) => {
      const keys = await (await context.auth()).keys.list();
      return {
        text: textTable(['KEY', 'ALGORITHM', 'STAGE', 'MADE', 'SIGNS FROM'], keys.map(row)),
        json: { items: keys.map(showSigningKey) },
      };
    },
  },
  {
    name: 'keys rotate',
    parameters: [],
    summary: 'publish a new signing key, which signs once every guard can know it',
    options: [],
    examples: ['keys rotate'],
    run: async (_input, context) => {
      const key = await (await context.auth()).keys.rotate();
      return {
        text: `Published the key ${key.keyId}; it signs from ${textTime(key.activatesAt)}.`,
        json: showSigningKey(key),
      };
    },
  },
];

function row({ keyId, algorithm, stage, createdAt, activatesAt }: SigningKeyInfo): readonly string[] {
  return [keyId, algorithm, stage, textTime(createdAt), textTime(activatesAt)];
}
