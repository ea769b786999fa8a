import { constants, createHmac, sign, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import type { Work } from '../rounds.ts';
import type { BenchKey, MeasuredAlgorithm } from './keys.ts';
import type { BenchClaims, TokenPool } from './tokens.ts';

/** What stands in the tables for the primitive alone. */
export const primitiveName = 'node:crypto';

/** What stands for the primitive and the JSON around it: no check of any kind. */
export const uncheckedName = 'node:crypto + JSON, no checks';

type AsymmetricAlgorithm = Exclude<MeasuredAlgorithm, 'HS256'>;

const digests: { readonly [Name in AsymmetricAlgorithm]: string | null } = {
  RS256: 'sha256',
  PS256: 'sha256',
  ES256: 'sha256',
  EdDSA: null,
};

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

/** A bare KeyObject is the quickest form; only PS256 cannot do without options. */
function withOptions(algorithm: MeasuredAlgorithm, key: KeyObject): KeyObject | { key: KeyObject } {
  return algorithm === 'PS256' ? { key, ...pss } : key;
}

/**
 * The signature check alone: no parsing, no claims, all buffers made beforehand. It is the speed that nothing built on
 * it can pass. ES256 gets its signatures in the DER form, which OpenSSL takes without a conversion.
 */
export function primitiveVerify(key: BenchKey, tokens: readonly string[]): Work {
  const { algorithm, keyObjects } = key;
  const inputs = tokens.map((token) => Buffer.from(signingInput(token)));
  if (algorithm === 'HS256') {
    const signatures = tokens.map(signatureOf);
    const secret = keyObjects.verifying;
    return (index) => {
      const at = index % inputs.length;
      return timingSafeEqual(mac(secret, bytesAt(inputs, at)), bytesAt(signatures, at));
    };
  }
  const digest = digests[algorithm];
  const signatures =
    algorithm === 'ES256' ? inputs.map((input) => sign(digest, input, keyObjects.signing)) : tokens.map(signatureOf);
  const verifying = withOptions(algorithm, keyObjects.verifying);
  return (index) => {
    const at = index % inputs.length;
    return verify(digest, bytesAt(inputs, at), verifying, bytesAt(signatures, at));
  };
}

/** The signature check, and the payload decoded and parsed, in the plainest way. Nobody can verify a token with less. */
export function uncheckedVerify(key: BenchKey, pool: TokenPool): Work {
  const primitive = primitiveVerify(key, pool.tokens);
  return (index) => {
    primitive(index);
    const [, payload = ''] = pool.at(index).split('.', 2);
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  };
}

/** Claims written and encoded in the plainest way, and a signature. Nobody can sign a token with less. */
export function uncheckedSign(key: BenchKey, tokens: readonly string[], claims: readonly BenchClaims[]): Work {
  const primitive = primitiveSign(key, tokens);
  return (index) => {
    const payload = Buffer.from(JSON.stringify(claims[index % claims.length])).toString('base64url');
    return [payload, primitive(index)];
  };
}

/** Signing alone, of bytes made beforehand; the signature stays as it comes. */
export function primitiveSign(key: BenchKey, tokens: readonly string[]): Work {
  const { algorithm, keyObjects } = key;
  const inputs = tokens.map((token) => Buffer.from(signingInput(token)));
  if (algorithm === 'HS256') {
    const secret = keyObjects.signing;
    return (index) => mac(secret, bytesAt(inputs, index % inputs.length));
  }
  const digest = digests[algorithm];
  const signing = withOptions(algorithm, keyObjects.signing);
  return (index) => sign(digest, bytesAt(inputs, index % inputs.length), signing);
}

function mac(secret: KeyObject, input: Buffer): Buffer {
  return createHmac('sha256', secret).update(input).digest();
}

const none = Buffer.alloc(0);

function bytesAt(buffers: readonly Buffer[], index: number): Buffer {
  return buffers[index] ?? none;
}

function signingInput(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}

function signatureOf(token: string): Buffer {
  return Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url');
}
