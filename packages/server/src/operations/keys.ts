import type { Access } from '@sallyport/guard';
import * as z from 'zod';
import { type Operation, defineOperation } from '../operation.ts';
import { showSigningKey } from '../representations.ts';
import { listOf, signingKey } from '../schemas.ts';

const signingKeys = listOf('SigningKeys', signingKey);

/** `GET /keys` */
export const listKeys: Operation<Access> = defineOperation({
  id: 'listKeys',
  tag: 'Keys',
  summary: 'List the signing keys and their stages',
  description: 'Facts about the keys, never the keys: the public ones are in the JWK Set.',
  success: { status: 200, description: 'All keys', schema: signingKeys },
  handle: async ({ auth }) => ({ items: (await auth.keys.list()).map(showSigningKey) }),
});

/** `POST /keys/rotate` */
export const rotateKey: Operation<Access> = defineOperation({
  id: 'rotateKey',
  tag: 'Keys',
  summary: 'Publish the next signing key',
  description:
    'It signs once everybody has had time to fetch it; tokens of the key before stay valid until they expire.',
  success: { status: 201, description: 'The next key', schema: signingKey },
  handle: async ({ auth }) => showSigningKey(await auth.keys.rotate()),
});

/** `POST /keys/{id}/revoke` */
export const revokeKey: Operation<Access> = defineOperation({
  id: 'revokeKey',
  tag: 'Keys',
  summary: 'Mark a signing key as compromised',
  description:
    'For a key that somebody else may have: every token it signed is refused at once here and by guards that follow the ' +
    'change log, by others when they fetch the published keys again. Its private half is removed. Where it was the key ' +
    'that signs, a new one takes its place at once; sessions go on, their next refresh brings a token under it.',
  params: z.strictObject({ id: z.string() }),
  success: { status: 200, description: 'The key, compromised', schema: signingKey },
  refusals: ['key_not_found', 'value_invalid'],
  handle: async ({ auth, params }) => showSigningKey(await auth.keys.revoke(params.id)),
});
