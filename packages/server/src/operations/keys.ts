import type { Access } from '@sallyport/guard';
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
