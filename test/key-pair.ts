import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';

const encoded = {
  publicKeyEncoding: { format: 'der', type: 'spki' },
  privateKeyEncoding: { format: 'der', type: 'pkcs8' },
} as const;

// Its types have an overload for each kind of key and none for all of them.
const generate = generateKeyPairSync as unknown as (type: string, options: object) => { readonly privateKey: Buffer };

/**
 * Generates a key pair that shares no lock with the job that has generated it: Node 20 can stand still for ever when garbage
 * is collected while such a key is written as a JWK.
 */
export function keyPair(type: 'ec' | 'ed25519' | 'ed448' | 'x25519', namedCurve?: string): KeyPairKeyObjectResult {
  const { privateKey } = generate(type, { namedCurve, ...encoded });
  const read = createPrivateKey({ key: privateKey, ...encoded.privateKeyEncoding });
  return { privateKey: read, publicKey: createPublicKey(read) };
}
