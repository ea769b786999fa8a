import { constants, createPublicKey, sign, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { decodeBase64urlInto, encodeBase64url } from './base64url.ts';
import { fromDer, toDer } from './ecdsa-signature.ts';
import { createMac, createTextComparison, type HmacHash } from './hmac.ts';
import { Scratch } from './octets.ts';

/**
 * The name of a signature algorithm (RFC 7518, section 3.1). `EdDSA` means Ed25519 (RFC 8037), and `Ed25519` is its newer
 * name (RFC 9864, section 2.2).
 */
export type Algorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519';

/** Signs ASCII text with one key; the signature comes as base64url. */
export type Sign = (input: string) => string;

/** Whether a signature over ASCII text is canonical base64url, of the right length, and good under one key. */
export type Verify = (input: string, signature: string) => boolean;

/** Everything that differs from one algorithm to the next. */
export interface AlgorithmEntry {
  /** The JWK key type. */
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP';
  /** The JWK curve, where the key type has one. */
  readonly crv: string | undefined;
  /** Octets of a coordinate (EC, OKP) or the least octets of a secret (oct). */
  readonly keySize: number;
  /** Says why a key cannot serve this algorithm; undefined when it can. */
  readonly refusal: (key: KeyObject) => string | undefined;
  /** Makes what signs with a private key or secret. Whatever depends on the key alone is done here, once. */
  readonly signer: (key: KeyObject) => Sign;
  /** Makes what verifies with a public key or secret. */
  readonly verifier: (key: KeyObject) => Verify;
}

type Hash = HmacHash['name'];

/** The table of algorithms. To add one, add a row and its vectors. */
export const algorithms: { readonly [Name in Algorithm]: AlgorithmEntry } = {
  HS256: hmac({ name: 'sha256', blockSize: 64, size: 32 }),
  HS384: hmac({ name: 'sha384', blockSize: 128, size: 48 }),
  HS512: hmac({ name: 'sha512', blockSize: 128, size: 64 }),
  RS256: rsaPkcs1('sha256'),
  RS384: rsaPkcs1('sha384'),
  RS512: rsaPkcs1('sha512'),
  PS256: rsaPss('sha256'),
  PS384: rsaPss('sha384'),
  PS512: rsaPss('sha512'),
  ES256: ecdsa('sha256', 'P-256', 'prime256v1', 32),
  ES384: ecdsa('sha384', 'P-384', 'secp384r1', 48),
  ES512: ecdsa('sha512', 'P-521', 'secp521r1', 66),
  EdDSA: ed25519('EdDSA'),
  Ed25519: ed25519('Ed25519'),
};

/** The names of all supported algorithms. */
export const algorithmNames: readonly Algorithm[] = Object.freeze(Object.keys(algorithms) as Algorithm[]);

/**
 * The only algorithm of a list; undefined when there is none or more than one. A key that does not say which of the two
 * names of EdDSA it goes by has the older, unless the caller accepts the newer alone.
 */
export function onlyAlgorithm(possible: readonly Algorithm[]): Algorithm | undefined {
  const [only, another] = possible.filter((name) => name !== 'Ed25519' || !possible.includes('EdDSA'));
  return another === undefined ? only : undefined;
}

/**
 * Tells whether a value names a supported algorithm, in its exact spelling.
 *
 * @example
 * import { isAlgorithm } from '@sallyport/jwt';
 *
 * isAlgorithm('ES256'); // true
 * isAlgorithm('none'); // false
 */
export function isAlgorithm(value: unknown): value is Algorithm {
  return typeof value === 'string' && Object.hasOwn(algorithms, value);
}

/** What is in public keys that people take for secrets: PEM, SSH2 (RFC 4716), OpenSSH, JWK. */
const publicKeyText = /----[- ]BEGIN|ssh-(rsa|dss|ed25519)[ @]|ecdsa-sha2-|"(kty|keys)"\s*:/;

/** Tells whether bytes offered as a secret are a key pair's key, or its certificate, written out (RFC 8725, section 2.1). */
function isPublicKeyText(secret: Buffer): boolean {
  const text = secret.toString('latin1');
  if (publicKeyText.test(text)) return true;
  return [secret, Buffer.from(text, 'base64')].some(
    (der) =>
      isReadBy(() => createPublicKey({ key: der, format: 'der', type: 'spki' })) ||
      isReadBy(() => createPublicKey({ key: der, format: 'der', type: 'pkcs1' })) ||
      isReadBy(() => new X509Certificate(der)),
  );
}

/** Readers of keys throw at what is none. */
function isReadBy(read: () => unknown): boolean {
  try {
    return read() !== undefined;
  } catch {
    return false;
  }
}

/** RFC 7518, section 3.2. */
function hmac(hash: HmacHash): AlgorithmEntry {
  const isSame = createTextComparison(Math.ceil((hash.size * 4) / 3));
  return {
    kty: 'oct',
    crv: undefined,
    keySize: hash.size,
    refusal: (key) => {
      if (key.type !== 'secret') return 'an HS algorithm needs a secret';
      if ((key.symmetricKeySize ?? 0) < hash.size) return `the secret needs at least ${hash.size} bytes`;
      return isPublicKeyText(key.export())
        ? 'it is a key of another kind written out, which others may know: see importKey()'
        : undefined;
    },
    signer: (key) => createMac(hash, key),
    verifier: (key) => {
      const mac = createMac(hash, key);
      return (input, signature) => isSame(mac(input), signature);
    },
  };
}

/** RFC 7518, section 3.3. */
function rsaPkcs1(hash: Hash): AlgorithmEntry {
  return {
    kty: 'RSA',
    crv: undefined,
    keySize: 0,
    refusal: rsaRefusal,
    signer: encoding((input, key) => sign(hash, input, key)),
    verifier: decoding((input, signature, key) => verify(hash, input, key, signature)),
  };
}

/** RFC 7518, section 3.5: the salt is as long as the hash. */
function rsaPss(hash: Hash): AlgorithmEntry {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return {
    kty: 'RSA',
    crv: undefined,
    keySize: 0,
    refusal: rsaRefusal,
    signer: encoding((input, key) => sign(hash, input, { key, ...pss })),
    verifier: decoding((input, signature, key) => verify(hash, input, { key, ...pss }, signature)),
  };
}

/** RFC 7518, section 3.4: the signature is r and s, each as long as a coordinate. */
function ecdsa(hash: Hash, crv: string, namedCurve: string, size: number): AlgorithmEntry {
  return {
    kty: 'EC',
    crv,
    keySize: size,
    refusal: (key) => {
      // Only EC keys have a named curve.
      const fits = key.asymmetricKeyDetails?.namedCurve === namedCurve;
      return fits ? undefined : `the algorithm needs an EC key on ${crv}`;
    },
    signer: encoding((input, key) => fromDer(sign(hash, input, key), size)),
    verifier: decoding(
      (input, signature, key) => signature.length === 2 * size && verify(hash, input, key, toDer(signature, size)),
    ),
  };
}

/** RFC 8037, section 3.1, under either of its names. */
function ed25519(name: 'EdDSA' | 'Ed25519'): AlgorithmEntry {
  return {
    kty: 'OKP',
    crv: 'Ed25519',
    keySize: 32,
    refusal: (key) => {
      if (key.asymmetricKeyType !== 'ed25519') return `${name} needs an Ed25519 key`;
      return hasSmallOrder(key) ? 'the Ed25519 point has a small order' : undefined;
    },
    signer: encoding((input, key) => sign(null, input, key)),
    verifier: decoding((input, signature, key) => verify(null, input, key, signature)),
  };
}

/**
 * The y coordinates of the points whose order divides 8 (0, 1, -1, two of order 8, and 0 and 1 written as p and p + 1).
 * With such a key anyone can make signatures that fit (RFC 8725, section 3.4).
 */
const smallOrders: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

function hasSmallOrder(key: KeyObject): boolean {
  const point = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
  point.writeUInt8(point.readUInt8(31) & 0x7f, 31); // the top bit is the sign of x
  return smallOrders.has(point.toString('hex'));
}

/** A verification takes as long as the exponent has bits; 65537 is what everybody uses. */
const largestExponent = 2n ** 32n - 1n;

/** RFC 7518, section 3.3 asks for 2048 bits; above 16384 a single verification would take too long. */
export function isRsaSize(bits: number): boolean {
  return bits >= 2048 && bits <= 16_384;
}

function rsaRefusal(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return 'the algorithm needs an RSA key';
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (!isRsaSize(modulusLength)) return 'the RSA modulus must have 2048 to 16384 bits';
  const isExponent = publicExponent >= 3n && publicExponent <= largestExponent && publicExponent % 2n === 1n;
  return isExponent ? undefined : 'the RSA exponent must be odd, at least 3 and at most 2^32';
}

/** Texts that are signed: a token of the default length fits. A new buffer for each would cost more than its parsing. */
const inputs = new Scratch(8192);

/** Decoded signatures: those of the longest RSA key fit. */
const signatures = new Scratch(4096);

function encoding(makeSignature: (input: Buffer, key: KeyObject) => Buffer): AlgorithmEntry['signer'] {
  return (key) => (input) => encodeBase64url(makeSignature(latin1(input), key));
}

/** Checks signatures that must be decoded first: in canonical base64url or not at all. */
function decoding(isGood: (input: Buffer, signature: Buffer, key: KeyObject) => boolean): AlgorithmEntry['verifier'] {
  return (key) => (input, signature) => {
    const bytes = decodeBase64urlInto(signatures, signature);
    return bytes !== undefined && isGood(latin1(input), bytes, key);
  };
}

/** Signing inputs are ASCII; any other character is refused when the part that holds it is decoded. */
function latin1(input: string): Buffer {
  if (input.length > inputs.octets.length) return Buffer.from(input, 'latin1');
  return inputs.first(inputs.octets.latin1Write(input, 0, input.length));
}
