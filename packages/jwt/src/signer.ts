import { algorithms } from './algorithms.ts';
import { encodeBase64url } from './base64url.ts';
import { fromDer } from './ecdsa-signature.ts';
import { JwtError } from './errors.ts';
import { JwtKey, keyMaterial } from './key.ts';

/**
 * A private key that is somewhere else: in a KMS, an HSM, another process. {@link signJwt} asks it for each signature.
 *
 * @example
 * import { sign, type KeyObject } from 'node:crypto';
 * import { signJwt, type JwtKey, type JwtSigner } from '@sallyport/jwt';
 *
 * // What stands for the call of a KMS here is a private key of node:crypto, which makes DER too.
 * const signerOf = (publicKey: JwtKey, elsewhere: KeyObject): JwtSigner => ({
 *   publicKey,
 *   signatureEncoding: 'der',
 *   sign: async (input) => sign('sha256', input, elsewhere),
 * });
 * const issue = (signer: JwtSigner) => signJwt({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 900 }, signer);
 */
export interface JwtSigner {
  /** The public half. It names the algorithm and the key id, and each signature is verified with it before it is used. */
  readonly publicKey: JwtKey;
  /**
   * How ECDSA signatures come: `der`, as most KMS and HSM answer, or `ieee-p1363`, r and s side by side.
   * Default: `ieee-p1363`. Other algorithms have one form only.
   */
  readonly signatureEncoding?: 'ieee-p1363' | 'der';
  /** Signs bytes; for algorithms with a hash it is made there, of these bytes. */
  sign(input: Uint8Array): Promise<Uint8Array>;
}

/** Tells whether signatures are made elsewhere. */
export function isSigner(value: unknown): value is JwtSigner {
  return typeof value === 'object' && value !== null && 'sign' in value && typeof value.sign === 'function';
}

/** How ECDSA signatures come from a signer. */
type SignatureEncoding = NonNullable<JwtSigner['signatureEncoding']>;

/** What a signer stands for, validated. */
export function readSigner({ publicKey, signatureEncoding: encoding = 'ieee-p1363' }: JwtSigner): {
  readonly publicKey: JwtKey;
  readonly encoding: SignatureEncoding;
} {
  if (!(publicKey instanceof JwtKey) || publicKey.type === 'secret') {
    throw new TypeError('publicKey must be the public JwtKey of the signer');
  }
  if (encoding !== 'ieee-p1363' && encoding !== 'der') {
    throw new TypeError("signatureEncoding must be 'ieee-p1363' or 'der'");
  }
  return { publicKey, encoding };
}

/**
 * A signature made elsewhere, as base64url, once it is proven. A wrong key, hash or form would make tokens that nobody
 * accepts; a faulty RSA signature would give the key away.
 */
export function provenSignature(input: string, made: unknown, publicKey: JwtKey, encoding: SignatureEncoding): string {
  const signature = made instanceof Uint8Array ? encodeSignature(made, publicKey, encoding) : undefined;
  if (signature !== undefined && keyMaterial(publicKey).verify(input, signature)) return signature;
  throw new JwtError('key_invalid', { reason: 'what the signer makes is no signature of its public key' });
}

function encodeSignature(made: Uint8Array, publicKey: JwtKey, encoding: SignatureEncoding): string | undefined {
  const { kty, keySize } = algorithms[publicKey.algorithm];
  if (kty !== 'EC' || encoding !== 'der') return encodeBase64url(made);
  try {
    return encodeBase64url(fromDer(Buffer.from(made), keySize));
  } catch {
    return undefined;
  }
}
