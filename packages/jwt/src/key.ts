import { createPublicKey, type KeyObject } from 'node:crypto';
import { algorithms, isAlgorithm, type Algorithm, type Sign, type Verify } from './algorithms.ts';
import { JwtError } from './errors.ts';

/** What is behind a key: a KeyObject made to sign with (unless the key is public), one to verify with, and both acts. */
export interface KeyMaterial {
  readonly signing: KeyObject | undefined;
  readonly verifying: KeyObject;
  readonly sign: Sign | undefined;
  readonly verify: Verify;
}

/** Reads the material of a key. For the modules of this package: index.ts does not export it. */
export let keyMaterial: (key: JwtKey) => KeyMaterial;

/**
 * One key bound to one algorithm.
 *
 * A key that exists is sound: the constructor refuses weak keys, keys of another kind than the algorithm needs, and
 * private keys that do not sign what their public half verifies. The material stays inside: it is no property, and
 * neither JSON nor `console.log` shows it. Usually made by `importKey`, `secretKey` or `generateKey`.
 *
 * @example
 * import { generateKey } from '@sallyport/jwt';
 *
 * const key = await generateKey('ES256', { keyId: 'k1' });
 * console.log(key); // JwtKey { algorithm: 'ES256', keyId: 'k1', type: 'private' }
 *
 * @throws {JwtError} `key_invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725.html#section-3.1 RFC 8725, section 3.1}
 */
export class JwtKey {
  /** The only algorithm this key is used with. */
  readonly algorithm: Algorithm;
  /** The `kid` of tokens signed with this key. */
  readonly keyId: string | undefined;
  /** A `secret` and a `private` key sign and verify; a `public` key verifies. */
  readonly type: 'secret' | 'public' | 'private';
  readonly #material: KeyMaterial;

  static {
    keyMaterial = (key) => key.#material;
  }

  constructor(algorithm: Algorithm, keyObject: KeyObject, keyId?: string) {
    if (!isAlgorithm(algorithm)) throw new TypeError('The algorithm of a key must be one of algorithmNames');
    if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '')) {
      throw new TypeError('A key id must be a string that is not empty');
    }
    const refusal = algorithms[algorithm].refusal(keyObject);
    if (refusal !== undefined) throw new JwtError('key_invalid', { reason: refusal });
    this.algorithm = algorithm;
    this.keyId = keyId;
    this.type = keyObject.type;
    const { signer, verifier } = algorithms[algorithm];
    const signing = keyObject.type === 'public' ? undefined : keyObject;
    const verifying = keyObject.type === 'private' ? createPublicKey(keyObject) : keyObject;
    this.#material = { signing, verifying, sign: signing && signer(signing), verify: verifier(verifying) };
    if (keyObject.type === 'private') provePair(this.#material);
    Object.freeze(this);
  }
}

/** A private key whose parts do not belong together signs what nobody can verify, or leaks itself (RSA fault attacks). */
function provePair({ sign, verify }: KeyMaterial): void {
  const probe = 'pairwise consistency';
  let fits = false;
  try {
    fits = sign !== undefined && verify(probe, sign(probe));
  } catch {
    // OpenSSL throws for some broken keys; the outcome is the same.
  }
  if (!fits) throw new JwtError('key_invalid', { reason: 'the private and the public part do not belong together' });
}
