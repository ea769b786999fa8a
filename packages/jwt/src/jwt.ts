import { decodeBase64url } from './base64url.ts';
import { claimsFault, type JwtClaims } from './claims.ts';
import { JwtError } from './errors.ts';
import { faults } from './fault.ts';
import { isJsonObject, isJsonValue, type JsonObject } from './json.ts';
import { encodeJson, readJsonPart, signJws, splitJws } from './jws.ts';
import type { LocalKeys } from './jwk-set.ts';
import type { Keys } from './key-ring.ts';
import { JwtKey } from './key.ts';
import { accepted, toOutcome, whenSettled, type JwtOutcome } from './outcome.ts';
import { verdictOn } from './recent-verifications.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';
import { isSigner, provenSignature, readSigner, type JwtSigner } from './signer.ts';
import type { VerifiedJwt } from './verification.ts';
import { defaultTokenLength, resolveVerifyOptions, type VerifyOptions } from './verify-options.ts';

/** How {@link signJwt} makes the header. */
export interface SignOptions {
  /** What kind of token this is. Default: `JWT`. */
  readonly typ?: string;
  /** More header parameters; not `alg`, `kid`, `typ`, `crit` or `b64`. Default: none. */
  readonly header?: Readonly<Record<string, unknown>>;
}

const reservedParameters = ['alg', 'kid', 'typ', 'crit', 'b64'];

/**
 * Signs claims into a compact JWT.
 *
 * Refuses registered claims of the wrong type and values that JSON would change. Does **not** add claims: give the
 * token an `exp`, or the default verification refuses it. With a key in hand it answers at once; with a
 * {@link JwtSigner} it returns a promise.
 *
 * @example
 * import { generateKey, signJwt } from '@sallyport/jwt';
 *
 * const key = await generateKey('ES256');
 * const token = signJwt({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 900 }, key);
 *
 * @throws {JwtError} `claims_invalid`; `key_invalid` for a public key, and for a signer whose signature does not fit
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519.html#section-7.1 RFC 7519, section 7.1}
 */
export function signJwt(claims: JwtClaims, key: JwtKey, options?: SignOptions): string;
export function signJwt(claims: JwtClaims, signer: JwtSigner, options?: SignOptions): Promise<string>;
export function signJwt(claims: JwtClaims, key: JwtKey | JwtSigner, options?: SignOptions): string | Promise<string>;
export function signJwt(
  claims: JwtClaims,
  key: JwtKey | JwtSigner,
  options: SignOptions = {},
): string | Promise<string> {
  if (key instanceof JwtKey) return signJws(signingInput(claims, key, options), key);
  if (isSigner(key)) return signJwtElsewhere(claims, key, options);
  throw new TypeError('key must be a JwtKey or a JwtSigner; wrap a secret in secretKey()');
}

/**
 * Verifies a JWT and returns its header and claims.
 *
 * Checks the signature with the one key that fits, then `typ` (when given), the required claims, `iss`, `sub` and
 * `aud`, and the times. With `typ: 'at+jwt'` the claims of RFC 9068 are required too. Does **not** check scopes, roles
 * or revocation. With keys in hand it answers at once; with a `remoteJwkSet` it returns a promise.
 *
 * @example
 * import { importKey, verifyJwt, type Jwk } from '@sallyport/jwt';
 *
 * function subjectOf(token: string, jwk: Jwk): string | undefined {
 *   const issuer = 'https://auth.example.com';
 *   const { claims } = verifyJwt(token, { keys: importKey(jwk), issuer, audience: 'https://api.example.com' });
 *   return claims.sub;
 * }
 *
 * @throws {JwtError} `token_malformed`, `token_too_large`, `algorithm_not_allowed`, `critical_header_unsupported`,
 * `key_not_found`, `key_invalid`, `keys_unavailable` (remote keys), `signature_invalid`, `type_mismatch`,
 * `claim_missing`, `claims_invalid`, `claim_mismatch`, `not_yet_valid`, `expired`, `token_too_old`
 * @throws {TypeError} for options that do not make sense, whatever the token
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519.html#section-7.2 RFC 7519, section 7.2}
 */
export function verifyJwt<Claims extends object = JwtClaims>(
  token: string,
  options: VerifyOptions<LocalKeys, Claims>,
): VerifiedJwt<Claims>;
export function verifyJwt<Claims extends object = JwtClaims>(
  token: string,
  options: VerifyOptions<RemoteJwkSet, Claims>,
): Promise<VerifiedJwt<Claims>>;
export function verifyJwt<Claims extends object = JwtClaims>(
  token: string,
  options: VerifyOptions<Keys, Claims>,
): VerifiedJwt<Claims> | Promise<VerifiedJwt<Claims>>;
export function verifyJwt(
  token: string,
  options: VerifyOptions<Keys, object>,
): VerifiedJwt<object> | Promise<VerifiedJwt<object>> {
  return whenSettled(verdictOn(token, options, resolveVerifyOptions), accepted);
}

/**
 * Verifies a JWT as {@link verifyJwt} does, and returns the refusal instead of throwing it.
 *
 * The same checks by the same code; only the error is not made, which costs more than refusing does. For hot paths
 * where bad tokens are nothing exceptional. Unusable keys and options are still thrown: no token is at fault.
 *
 * @example
 * import { secretKey, tryVerifyJwt } from '@sallyport/jwt';
 *
 * const keys = secretKey('thirty-two random bytes, not words');
 * const outcome = tryVerifyJwt('not.a.token', { keys });
 * if (!outcome.ok) console.log(outcome.code); // token_malformed
 *
 * @throws {JwtError} `key_invalid`
 * @throws {TypeError} for options that do not make sense, whatever the token
 */
export function tryVerifyJwt<Claims extends object = JwtClaims>(
  token: string,
  options: VerifyOptions<LocalKeys, Claims>,
): JwtOutcome<Claims>;
export function tryVerifyJwt<Claims extends object = JwtClaims>(
  token: string,
  options: VerifyOptions<RemoteJwkSet, Claims>,
): Promise<JwtOutcome<Claims>>;
export function tryVerifyJwt<Claims extends object = JwtClaims>(
  token: string,
  options: VerifyOptions<Keys, Claims>,
): JwtOutcome<Claims> | Promise<JwtOutcome<Claims>>;
export function tryVerifyJwt(
  token: string,
  options: VerifyOptions<Keys, object>,
): JwtOutcome<object> | Promise<JwtOutcome<object>> {
  return whenSettled(verdictOn(token, options, resolveVerifyOptions), toOutcome);
}

/**
 * Decodes a JWT **without verifying anything**: the result is whatever its sender wrote.
 *
 * For logs and tools. Parses as strictly as {@link verifyJwt}, tokens of at most 8192 characters.
 *
 * @example
 * import { decodeJwtUnverified } from '@sallyport/jwt';
 *
 * const describe = (token: string) => decodeJwtUnverified(token).header;
 *
 * @throws {JwtError} `token_malformed`, `token_too_large`
 */
export function decodeJwtUnverified(token: string): {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
} {
  const jws = accepted(splitJws(token, defaultTokenLength));
  if (decodeBase64url(jws.signature) === undefined) throw faults.malformed.toError();
  return { header: accepted(readJsonPart(jws.header)), claims: accepted(readJsonPart(jws.payload)) };
}

async function signJwtElsewhere(claims: JwtClaims, signer: JwtSigner, options: SignOptions): Promise<string> {
  // Read once: a signer may change its key while it signs.
  const { publicKey, encoding } = readSigner(signer);
  const input = signingInput(claims, publicKey, options);
  const made: unknown = await signer.sign(Buffer.from(input));
  return `${input}.${provenSignature(input, made, publicKey, encoding)}`;
}

function signingInput(claims: JwtClaims, key: JwtKey, options: SignOptions): string {
  refuseUnsignable(claims);
  const strange = Object.keys(options).find((name) => name !== 'typ' && name !== 'header');
  if (strange !== undefined) throw new TypeError(`There is no option ${strange}`);
  const { typ = 'JWT', header } = options;
  if (typeof typ !== 'string' || typ === '' || !typ.isWellFormed()) {
    throw new TypeError('typ must be a string that is not empty');
  }
  return `${header === undefined ? plainHeader(key, typ) : makeHeader(key, typ, header)}.${encodeJson(claims)}`;
}

/** The header that each key wrote last. An issuer signs one kind of token after the other under the same header. */
const plainHeaders = new WeakMap<JwtKey, { readonly typ: string; readonly encoded: string }>();

function plainHeader(key: JwtKey, typ: string): string {
  const known = plainHeaders.get(key);
  if (known?.typ === typ) return known.encoded;
  const encoded = makeHeader(key, typ, {});
  plainHeaders.set(key, { typ, encoded });
  return encoded;
}

function makeHeader(key: JwtKey, typ: string, more: Readonly<Record<string, unknown>>): string {
  if (!isJsonObject(more) || !isJsonValue(more)) throw new TypeError('header must be a JSON object');
  const reserved = reservedParameters.find((name) => Object.hasOwn(more, name));
  if (reserved !== undefined) throw new TypeError(`The header parameter ${reserved} cannot be set`);
  return encodeJson({ alg: key.algorithm, kid: key.keyId, typ, ...more });
}

function refuseUnsignable(claims: JsonObject): void {
  if (!isJsonObject(claims)) throw new TypeError('claims must be an object');
  const fault = claimsFault(claims);
  if (fault !== undefined) throw fault.toError();
  if (isJsonValue(claims)) return;
  const claim = Object.keys(claims).find((name) => !isJsonValue(claims[name]));
  if (claim === undefined) throw new TypeError('claims must be a plain object');
  throw new JwtError('claims_invalid', { claim });
}
