import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { decodeBase64url } from '../src/base64url.ts';
import { isJwtError, verifyJwt, type Algorithm, type JwtErrorCode, type JwtKey, type LocalKeys } from '../src/index.ts';
import { keyMaterial } from '../src/key.ts';

/** Published test vectors that are too large to carry along: beside the repository, when they are there at all. */
const folder = new URL('../../../../shared/vectors/', import.meta.url);

const missed = new Set<string>();

/** Groups tests that need a folder of vectors; when it is not there, one test of the file is skipped and says so. */
export function describeVectors(name: string, path: string, tests: () => void): void {
  if (existsSync(new URL(path, folder))) {
    describe(`${name} (${path})`, () => {
      tests();
    });
  } else if (!missed.has(path)) {
    missed.add(path);
    it(`${path} has its vectors`, ({ skip }) => skip(`not run: ../shared/vectors/${path} is not there`));
  }
}

/** Reads a file of vectors. */
export function readVectors(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
}

/** The names of the files in a folder of vectors. */
export function listVectors(path: string): readonly string[] {
  return readdirSync(new URL(path, folder))
    .filter((name) => name.endsWith('.json'))
    .toSorted();
}

/** What becomes of a signature: `good`, or the reason it is refused for. */
export type SignatureVerdict = 'good' | JwtErrorCode;

/** No vector has this type, and the type is the first thing looked at once the signature is good. */
const noType = 'no-vector-has-this-type';

/**
 * Judges a compact JWS over any payload, JSON or not, by the public function: what is refused for its type has a good
 * signature. The payload is decoded later still, and refused alike whether its encoding or its JSON is wrong; so its
 * encoding is looked at here.
 */
export function judgeSignature(
  token: string,
  findKeys: () => LocalKeys,
  accepted?: readonly Algorithm[],
): SignatureVerdict {
  try {
    const keys = findKeys();
    verifyJwt(token, { keys, typ: noType, ...(accepted === undefined ? {} : { algorithms: accepted }) });
  } catch (error) {
    if (!isJwtError(error)) throw error;
    if (error.code !== 'type_mismatch') return error.code;
    return decodeBase64url(token.split('.')[1] ?? '') === undefined ? 'token_malformed' : 'good';
  }
  throw new Error('A token of no known type was accepted');
}

/** Judges a signature over bytes that are no signing input of a JWS, as the table of algorithms does. */
export function isGoodSignature(message: Buffer, signature: Buffer, key: JwtKey): boolean {
  return keyMaterial(key).verify(message.toString('latin1'), signature.toString('base64url'));
}

/** Signs bytes that are no signing input of a JWS, as the table of algorithms does; base64url. */
export function signatureOf(message: Buffer, key: JwtKey): string {
  const { sign } = keyMaterial(key);
  if (sign === undefined) throw new Error('A public key cannot sign');
  return sign(message.toString('latin1'));
}
