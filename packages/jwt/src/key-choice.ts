import type { Algorithm } from './algorithms.ts';
import { JwtError } from './errors.ts';
import { compileJwkSet, type LocalKeys } from './jwk-set.ts';
import type { JwtHeader } from './jws.ts';
import { JwtKey } from './key.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';

/** Where verification finds keys. */
export type Keys = LocalKeys | RemoteJwkSet;

/** Tells whether keys must be fetched. */
export function isRemote(keys: Keys): keys is RemoteJwkSet {
  return typeof keys === 'object' && keys !== null && 'refresh' in keys;
}

/** Lists the keys to choose from. */
export function listKeys(keys: LocalKeys, accepted: readonly Algorithm[] | undefined): readonly JwtKey[] {
  if (keys instanceof JwtKey) return [keys];
  if (isKeyList(keys)) return keys;
  if (typeof keys === 'object' && keys !== null && Array.isArray(keys.keys)) return compileJwkSet(keys, accepted);
  throw new TypeError(
    'keys must be a JwtKey, a list of them, a JWK Set or a remoteJwkSet(); wrap a secret in secretKey()',
  );
}

/**
 * Chooses the key for a token, or refuses it. The token only picks among our keys: it never brings one, and an
 * unknown key id never falls back on another key.
 */
export function chooseKey(
  keys: readonly JwtKey[],
  { alg, kid }: JwtHeader,
  accepted: readonly Algorithm[] | undefined,
): JwtKey {
  if (accepted !== undefined && !accepted.includes(alg))
    throw new JwtError('algorithm_not_allowed', { algorithm: alg });
  const [key, another] = keys.filter((candidate) => candidate.algorithm === alg && fits(candidate, kid, keys.length));
  if (key !== undefined && another === undefined) return key;
  const isStrange = accepted === undefined && keys.length > 0 && !keys.some((candidate) => candidate.algorithm === alg);
  throw isStrange ? new JwtError('algorithm_not_allowed', { algorithm: alg }) : new JwtError('key_not_found', {});
}

/** A key without id fits any key id only while it is the only key. */
function fits(key: JwtKey, kid: string | undefined, count: number): boolean {
  return kid === undefined || (key.keyId === undefined ? count === 1 : key.keyId === kid);
}

function isKeyList(keys: LocalKeys): keys is readonly JwtKey[] {
  if (!Array.isArray(keys)) return false;
  if (keys.length === 0 || !keys.every((key) => key instanceof JwtKey)) {
    throw new TypeError('A list of keys must hold at least one JwtKey, and nothing else');
  }
  return true;
}
