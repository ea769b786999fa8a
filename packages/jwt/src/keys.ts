import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  KeyObject,
  randomBytes,
} from 'node:crypto';
import { promisify } from 'node:util';
import { algorithmNames, algorithms, isAlgorithm, isRsaSize, onlyAlgorithm, type Algorithm } from './algorithms.ts';
import { algorithmOfJwk, keyObjectOfJwk, permits, refused, type Jwk } from './jwk.ts';
import { thumbprintOfJwk } from './jwk-thumbprint.ts';
import { JwtKey, keyMaterial } from './key.ts';

/** How {@link importKey} reads its material. */
export interface ImportKeyOptions {
  /** Default: the JWK's `alg`, or the only algorithm the key type allows. Needed for RSA and secrets without `alg`. */
  readonly algorithm?: Algorithm;
  /** Default: the JWK's `kid`, else none. */
  readonly keyId?: string;
}

/** How {@link secretKey} makes its key. */
export interface SecretKeyOptions {
  /** Default: `HS256`. */
  readonly algorithm?: 'HS256' | 'HS384' | 'HS512';
  /** Default: none. */
  readonly keyId?: string;
}

/** How {@link generateKey} makes its key. */
export interface GenerateKeyOptions {
  /** Default: the first 8 characters of the thumbprint; for secrets 8 random characters. */
  readonly keyId?: string;
  /** Bits of an RSA modulus. Default: 2048. */
  readonly modulusLength?: number;
}

/**
 * Makes a key of a JWK, a PEM text or a KeyObject.
 *
 * What the material is decides which kind of key comes out: PEM text is never taken for a secret. Of a PEM
 * certificate the public key is taken; the certificate itself is **not** checked.
 *
 * @example
 * import { readFileSync } from 'node:fs';
 * import { importKey } from '@sallyport/jwt';
 *
 * const key = importKey(readFileSync('key.pem', 'utf8'), { algorithm: 'RS256', keyId: 'k1' });
 *
 * @throws {JwtError} `key_invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-4 RFC 7517, section 4}
 */
export function importKey(material: Jwk | KeyObject | string, options: ImportKeyOptions = {}): JwtKey {
  if (options.algorithm !== undefined && !isAlgorithm(options.algorithm)) {
    throw new TypeError('The algorithm option must be one of algorithmNames');
  }
  if (typeof material === 'string') return bindKeyObject(keyObjectOfPem(material), options);
  if (material instanceof KeyObject) return bindKeyObject(ownCopy(material), options);
  return importJwk(material, options);
}

/**
 * Makes an HMAC key of a secret: random bytes, or a text that stands for its UTF-8 bytes.
 *
 * Refuses secrets shorter than the hash (32, 48 or 64 bytes) and PEM text. Does **not** judge how random they are:
 * a password is not a secret key.
 *
 * @example
 * import { randomBytes } from 'node:crypto';
 * import { secretKey } from '@sallyport/jwt';
 *
 * const key = secretKey(randomBytes(32));
 *
 * @throws {JwtError} `key_invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc7518.html#section-3.2 RFC 7518, section 3.2}
 */
export function secretKey(secret: string | Uint8Array, options: SecretKeyOptions = {}): JwtKey {
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) throw refused('a secret is text or bytes');
  const keyObject = typeof secret === 'string' ? createSecretKey(secret, 'utf8') : createSecretKey(secret);
  return new JwtKey(options.algorithm ?? 'HS256', keyObject, options.keyId);
}

/**
 * Generates a private key (or a secret, for HS algorithms).
 *
 * @example
 * import { generateKey } from '@sallyport/jwt';
 *
 * const key = await generateKey('ES256');
 */
export async function generateKey(algorithm: Algorithm, options: GenerateKeyOptions = {}): Promise<JwtKey> {
  if (!isAlgorithm(algorithm)) throw new TypeError('The algorithm must be one of algorithmNames');
  const keyObject = await generateKeyObject(algorithm, options.modulusLength ?? 2048);
  return new JwtKey(algorithm, keyObject, options.keyId ?? defaultKeyId(keyObject));
}

/**
 * Exports a key with everything it holds.
 *
 * The JWK of a secret or private key **is** the key: keep it out of logs and responses, and encrypt it at rest.
 * To publish, use {@link exportPublicJwk}.
 *
 * @example
 * import { exportJwk, generateKey } from '@sallyport/jwt';
 *
 * const stored = JSON.stringify(exportJwk(await generateKey('ES256')));
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-4 RFC 7517, section 4}
 */
export function exportJwk(key: JwtKey): Jwk {
  const { signing, verifying } = keyMaterial(key);
  return jwkOf(signing ?? verifying, key);
}

/**
 * Exports the public half of a key, as an issuer publishes it.
 *
 * @example
 * import { exportPublicJwk, generateKey } from '@sallyport/jwt';
 *
 * const published = exportPublicJwk(await generateKey('ES256'));
 *
 * @throws {JwtError} `key_invalid` for a secret, which has no public half
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-4 RFC 7517, section 4}
 */
export function exportPublicJwk(key: JwtKey): Jwk {
  if (key.type === 'secret') throw refused('a secret has no public half');
  return jwkOf(keyMaterial(key).verifying, key);
}

/**
 * Returns the public half of a key: it verifies and cannot sign.
 *
 * @example
 * import { generateKey, publicKey } from '@sallyport/jwt';
 *
 * const verifying = publicKey(await generateKey('EdDSA'));
 *
 * @throws {JwtError} `key_invalid` for a secret, which has no public half
 */
export function publicKey(key: JwtKey): JwtKey {
  if (key.type === 'secret') throw refused('a secret has no public half');
  return key.type === 'public' ? key : new JwtKey(key.algorithm, keyMaterial(key).verifying, key.keyId);
}

function importJwk(jwk: Jwk, options: ImportKeyOptions): JwtKey {
  if (typeof jwk !== 'object' || jwk === null) throw refused('a JWK, a PEM text or a KeyObject is needed');
  if (!permits(jwk, 'sign', 'verify')) throw refused('its use or key_ops are not those of signatures');
  if (jwk.kid !== undefined && (typeof jwk.kid !== 'string' || jwk.kid === ''))
    throw refused('its kid is not a string');
  if (options.algorithm !== undefined && jwk.alg !== undefined && options.algorithm !== jwk.alg) {
    throw refused('its alg is not the algorithm asked for');
  }
  const algorithm = algorithmOfJwk(jwk, options.algorithm === undefined ? undefined : [options.algorithm]);
  if (algorithm === undefined) throw refused('its algorithm is unsupported, or must be given as an option');
  const keyObject = keyObjectOfJwk(jwk);
  proveMembers(jwk, keyObject);
  return new JwtKey(algorithm, keyObject, options.keyId ?? jwk.kid);
}

/**
 * Refuses private keys whose members contradict each other where Node looks away: of an OKP key it ignores `x`, and
 * of an RSA key it does not multiply the primes.
 */
function proveMembers(jwk: Jwk, keyObject: KeyObject): void {
  if (keyObject.type !== 'private') return;
  const { x } = keyObject.export({ format: 'jwk' });
  const fits = jwk.kty === 'RSA' ? integer(jwk.p) * integer(jwk.q) === integer(jwk.n) : x === jwk.x;
  if (!fits) throw refused('its private and public members do not belong together');
}

function integer(member: string | undefined): bigint {
  return BigInt(`0x${Buffer.from(member ?? '', 'base64url').toString('hex')}`);
}

function bindKeyObject(keyObject: KeyObject, options: ImportKeyOptions): JwtKey {
  const algorithm = options.algorithm ?? algorithmOfKeyObject(keyObject);
  if (algorithm === undefined) throw refused('its algorithm is unsupported, or must be given as an option');
  return new JwtKey(algorithm, keyObject, options.keyId);
}

/** The only algorithm the key can serve; a secret could serve several, whatever its length. */
function algorithmOfKeyObject(keyObject: KeyObject): Algorithm | undefined {
  if (keyObject.type === 'secret') return undefined;
  return onlyAlgorithm(algorithmNames.filter((name) => algorithms[name].refusal(keyObject) === undefined));
}

function keyObjectOfPem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // Not a private key: it may be a public one.
  }
  try {
    return createPublicKey(pem);
  } catch {
    throw refused(
      pem.includes('ENCRYPTED')
        ? 'the PEM text is encrypted; give createPrivateKey() of node:crypto the passphrase, and import what it returns'
        : 'the text is not a PEM key; make HMAC keys with secretKey()',
    );
  }
}

function jwkOf(keyObject: KeyObject, key: JwtKey): Jwk {
  const members = keyObject.export({ format: 'jwk' }) as Jwk;
  const jwk = { ...members, alg: key.algorithm, use: 'sig' };
  return key.keyId === undefined ? jwk : { ...jwk, kid: key.keyId };
}

async function generateKeyObject(algorithm: Algorithm, modulusLength: number): Promise<KeyObject> {
  const { kty, crv, keySize } = algorithms[algorithm];
  if (kty === 'oct') return createSecretKey(randomBytes(keySize));
  if (kty === 'OKP') return read(await generatePair('ed25519', written));
  if (kty === 'EC') return read(await generatePair('ec', { namedCurve: crv ?? '', ...written }));
  if (!Number.isInteger(modulusLength) || !isRsaSize(modulusLength)) {
    throw new RangeError('modulusLength must be 2048 to 16384 bits');
  }
  return read(await generatePair('rsa', { modulusLength, ...written }));
}

/**
 * A generated KeyObject shares a lock with the job that has generated it. Node 20 takes that lock to write the key as a JWK
 * and to tell its details: if garbage is collected just then, the end of the job waits for it, and the process for ever.
 * So keys come as bytes, those that others have generated too.
 */
const written = {
  publicKeyEncoding: { format: 'der', type: 'spki' },
  privateKeyEncoding: { format: 'der', type: 'pkcs8' },
} as const;

function ownCopy(keyObject: KeyObject): KeyObject {
  if (keyObject.type === 'secret') return keyObject;
  if (keyObject.type === 'private') return read({ privateKey: keyObject.export(written.privateKeyEncoding) });
  return createPublicKey({ key: keyObject.export(written.publicKeyEncoding), ...written.publicKeyEncoding });
}

function read({ privateKey }: { readonly privateKey: Buffer }): KeyObject {
  return createPrivateKey({ key: privateKey, ...written.privateKeyEncoding });
}

// Its types take every key for a KeyObject, however it is to be written.
const generatePair = promisify(generateKeyPair) as unknown as (
  type: 'ec' | 'ed25519' | 'rsa',
  options: object,
) => Promise<{ readonly privateKey: Buffer }>;

function defaultKeyId(keyObject: KeyObject): string {
  if (keyObject.type === 'secret') return randomBytes(6).toString('base64url');
  return thumbprintOfJwk(createPublicKey(keyObject).export({ format: 'jwk' }) as Jwk).slice(0, 8);
}
