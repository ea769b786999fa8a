import type { SigningKeyInfo, SigningKeys } from '@sallyport/auth';
import { showSigningKey } from '../../representations.ts';
import { requiredParameter, type Command, type Reply } from '../command.ts';
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
    options: [
      {
        flags: '--compromised',
        meaning: 'somebody else may have the current key: refuse what it signed, sign with a new one now',
      },
    ],
    examples: ['keys rotate', 'keys rotate --compromised'],
    run: async (input, context) => {
      const { keys } = await context.auth();
      if (input.isSwitched('compromised')) return revokeKey(keys, await currentKeyOf(keys));
      const key = await keys.rotate();
      return {
        text: `Published the key ${key.keyId}; it signs from ${textTime(key.activatesAt)}.`,
        json: showSigningKey(key),
      };
    },
  },
  {
    name: 'keys revoke',
    parameters: ['<key>'],
    summary: 'mark a signing key as compromised: everything it signed is refused at once',
    options: [],
    examples: ['keys revoke a8Kq0f3T'],
    run: async (input, context) => revokeKey((await context.auth()).keys, requiredParameter(input, 0)),
  },
];

async function revokeKey(keys: SigningKeys, keyId: string): Promise<Reply> {
  const revoked = await keys.revoke(keyId);
  return {
    text: `Revoked the key ${keyId}: nothing it signed is accepted any more. ${await currentKeyOf(keys)} signs now.`,
    json: showSigningKey(revoked),
  };
}

/** The id of the key that signs; made now where the algorithm has none yet. */
async function currentKeyOf(keys: SigningKeys): Promise<string> {
  return (await keys.signingKey()).keyId ?? '';
}

function row({ keyId, algorithm, stage, createdAt, activatesAt }: SigningKeyInfo): readonly string[] {
  return [keyId, algorithm, stage, textTime(createdAt), textTime(activatesAt)];
}
