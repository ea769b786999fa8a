import type { Algorithm } from './algorithms.ts';
import { algorithmOfJwk, hasSecretMembers, isKeyType, keyObjectOfJwk, permits, refused, type Jwk } from './jwk.ts';
import { JwtKey } from './key.ts';
import { exportPublicJwk } from './keys.ts';

/**
 * A set of public keys, as an issuer publishes it.
 *
 * Treat it as immutable: its keys are read once for each object. To change the keys, make a new set.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-5 RFC 7517, section 5}
 */
export interface JwkSet {
  readonly keys: readonly Jwk[];
}

/** Keys that are in hand, so that verification needs no waiting. */
export type LocalKeys = JwtKey | readonly JwtKey[] | JwkSet;

/**
 * Makes the JWK Set an issuer publishes: the public halves of its keys.
 *
 * @example
 * import { generateKey, jwkSet } from '@sallyport/jwt';
 *
 * const published = JSON.stringify(jwkSet([await generateKey('ES256')]));
 *
 * @throws {JwtError} `key_invalid` for a secret, for two keys with one key id, and for a key without id beside others
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-5 RFC 7517, section 5}
 */
export function jwkSet(keys: readonly JwtKey[]): JwkSet {
  if (keys.length > 1 && keys.some((key) => key.keyId === undefined)) throw refused('a key of the set has no key id');
  const published = keys.map((key) => exportPublicJwk(key));
  refuseDuplicateKeyIds(published);
  return { keys: published };
}

const compiledSets = new WeakMap<JwkSet, Map<string, readonly JwtKey[]>>();

/**
 * Returns the keys of a set that can verify, made once for each set and list of accepted algorithms.
 *
 * Ignores keys of unknown type, curve or algorithm and keys that are not for verifying; refuses the set when a key
 * it would use is weak or malformed, when key ids repeat, or when secrets are among public keys.
 */
export function compileJwkSet(set: JwkSet, accepted: readonly Algorithm[] | undefined): readonly JwtKey[] {
  let variants = compiledSets.get(set);
  if (variants === undefined) compiledSets.set(set, (variants = new Map<string, readonly JwtKey[]>()));
  const variant = accepted === undefined ? '' : accepted.join();
  let keys = variants.get(variant);
  if (keys === undefined) variants.set(variant, (keys = makeKeys(set, accepted)));
  return keys;
}

function makeKeys(set: JwkSet, accepted: readonly Algorithm[] | undefined): readonly JwtKey[] {
  const known = set.keys.filter((jwk) => isKeyType(jwk?.kty));
  refuseMixture(known);
  refuseDuplicateKeyIds(known);
  return known.flatMap((jwk) => makeKey(jwk, accepted) ?? []);
}

function makeKey(jwk: Jwk, accepted: readonly Algorithm[] | undefined): JwtKey | undefined {
  const algorithm = permits(jwk, 'verify') ? algorithmOfJwk(jwk, accepted) : undefined;
  return algorithm === undefined ? undefined : new JwtKey(algorithm, keyObjectOfJwk(jwk), jwk.kid);
}

/** A secret among public keys is a secret about to be published (RFC 8725, section 3.1). */
function refuseMixture(keys: readonly Jwk[]): void {
  const secrets = keys.filter((jwk) => jwk.kty === 'oct');
  if (secrets.length > 0 && secrets.length < keys.length) throw refused('the set mixes secrets and public keys');
  if (keys.some((jwk) => jwk.kty !== 'oct' && hasSecretMembers(jwk))) throw refused('the set holds a private key');
}

function refuseDuplicateKeyIds(keys: readonly Jwk[]): void {
  const seen = new Set<string>();
  for (const { kid } of keys) {
    if (kid === undefined) continue;
    if (typeof kid !== 'string' || kid === '') throw refused('a kid of the set is not a string');
    if (seen.has(kid)) throw refused('two keys of the set have the same kid');
    seen.add(kid);
  }
}
