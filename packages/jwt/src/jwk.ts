import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { algorithmNames, algorithms, isAlgorithm, onlyAlgorithm, type Algorithm } from './algorithms.ts';
import { decodeBase64url } from './base64url.ts';
import { JwtError } from './errors.ts';

/**
 * A JSON Web Key.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-4 RFC 7517, section 4}
 */
export interface Jwk {
  readonly kty: string;
  readonly alg?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
  readonly kid?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
  readonly d?: string;
  readonly p?: string;
  readonly q?: string;
  readonly dp?: string;
  readonly dq?: string;
  readonly qi?: string;
  readonly k?: string;
  readonly [member: string]: unknown;
}

/** The members that hold key material, by key type (RFC 7518, section 6). */
const materialMembers: { readonly [Type in KeyType]: MaterialMembers } = {
  EC: { public: ['x', 'y'], private: ['d'] },
  OKP: { public: ['x'], private: ['d'] },
  RSA: { public: ['e', 'n'], private: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
  oct: { public: [], private: ['k'] },
};

const secretMembers: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** A key type this package knows. */
export type KeyType = 'EC' | 'OKP' | 'RSA' | 'oct';

interface MaterialMembers {
  readonly public: readonly string[];
  readonly private: readonly string[];
}

/** Tells whether a key type is known; RFC 7517, section 5 asks to ignore the others in a set. */
export function isKeyType(kty: unknown): kty is KeyType {
  return typeof kty === 'string' && Object.hasOwn(materialMembers, kty);
}

/** Tells whether a JWK holds anything that must stay secret. */
export function hasSecretMembers(jwk: Jwk): boolean {
  return secretMembers.some((member) => Object.hasOwn(jwk, member));
}

/** The algorithms that keys of this type and curve can serve. */
function algorithmsForKey(kty: string, crv: unknown): readonly Algorithm[] {
  return algorithmNames.filter((name) => algorithms[name].kty === kty && algorithms[name].crv === crv);
}

/**
 * Says which algorithm a JWK is for: its `alg`, or the only one its type allows among those the caller accepts.
 * Undefined when that is none or more than one.
 */
export function algorithmOfJwk(jwk: Jwk, accepted: readonly Algorithm[] | undefined): Algorithm | undefined {
  // EdDSA means Ed25519 here: a key on another curve is one of an algorithm we do not know.
  if (jwk.alg === 'EdDSA' && jwk.crv !== algorithms.EdDSA.crv) return undefined;
  if (jwk.alg !== undefined) return isAlgorithm(jwk.alg) ? jwk.alg : undefined;
  const possible = algorithmsForKey(jwk.kty, jwk.crv);
  return onlyAlgorithm(accepted === undefined ? possible : possible.filter((name) => accepted.includes(name)));
}

/** Checks that `use` and `key_ops` permit one of the operations (RFC 7517, sections 4.2 and 4.3). */
export function permits(jwk: Jwk, ...operations: readonly ('sign' | 'verify')[]): boolean {
  if (jwk.use !== undefined && jwk.use !== 'sig') return false;
  const uses = jwk.key_ops;
  if (uses === undefined) return true;
  // RFC 7517, section 4.3: no operation twice.
  const isList = Array.isArray(uses) && new Set(uses).size === uses.length;
  return isList && operations.some((operation) => uses.includes(operation));
}

/** Makes the KeyObject of a JWK; every member must be canonical base64url of the right length. */
export function keyObjectOfJwk(jwk: Jwk): KeyObject {
  if (!isKeyType(jwk.kty)) throw refused('the key type is not supported');
  if (jwk['oth'] !== undefined) throw refused('RSA keys of more than two primes are not supported');
  const names = materialMembers[jwk.kty];
  const isPrivate = names.private.some((member) => Object.hasOwn(jwk, member));
  const members: JsonWebKey = { kty: jwk.kty };
  if (jwk.crv !== undefined) members.crv = jwk.crv;
  for (const member of isPrivate ? [...names.public, ...names.private] : names.public) {
    members[member] = materialMember(jwk, member);
  }
  if (jwk.kty === 'oct') return createSecretKey(materialMember(jwk, 'k'), 'base64url');
  return importKeyObject(members, isPrivate);
}

/** Reads one member, refusing what is not a canonical, minimal encoding. */
export function materialMember(jwk: Jwk, member: string): string {
  const text = jwk[member];
  const bytes = typeof text === 'string' && text !== '' ? decodeBase64url(text) : undefined;
  if (typeof text !== 'string' || bytes === undefined) throw refused(`the member ${member} is not base64url`);
  if (jwk.kty === 'RSA' && bytes[0] === 0) throw refused(`the member ${member} has a leading zero`);
  if (jwk.kty === 'EC' || jwk.kty === 'OKP') {
    const [algorithm] = algorithmsForKey(jwk.kty, jwk.crv);
    if (algorithm === undefined) throw refused('the curve is not supported');
    if (bytes.length !== algorithms[algorithm].keySize) throw refused(`the member ${member} has the wrong length`);
  }
  return text;
}

/** The members of a key's thumbprint, in their order (RFC 7638, section 3.2). */
export function thumbprintMembers(kty: KeyType): readonly string[] {
  const { public: names } = materialMembers[kty];
  if (kty === 'oct') return ['k', 'kty'];
  return kty === 'RSA' ? ['e', 'kty', 'n'] : ['crv', 'kty', ...names];
}

function importKeyObject(key: JsonWebKey, isPrivate: boolean): KeyObject {
  try {
    return isPrivate ? createPrivateKey({ key, format: 'jwk' }) : createPublicKey({ key, format: 'jwk' });
  } catch {
    // The cause is dropped: Node may quote the offending value, which is key material.
    throw refused('the members do not form a key');
  }
}

/** A `key_invalid` error; the reason never quotes the key. */
export function refused(reason: string): JwtError<'key_invalid'> {
  return new JwtError('key_invalid', { reason });
}
