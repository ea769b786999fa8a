import { decodeBase64url } from './base64url.ts';
import { checkClaims, claimsFault, type JwtClaims } from './claims.ts';
import { isJwtError, JwtError, type JwtErrorCode, type JwtErrorDetails } from './errors.ts';
import { Fault, faults, type Verdict } from './fault.ts';
import { isJsonObject, isJsonValue, type JsonObject } from './json.ts';
import {
  encodeJson,
  readHeader,
  readJsonPart,
  signatureFault,
  signJws,
  splitJws,
  type CompactJws,
  type JwtHeader,
} from './jws.ts';
import type { LocalKeys } from './jwk-set.ts';
import { isRemote, ringOf, type KeyRing } from './key-ring.ts';
import { JwtKey } from './key.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';
import {
  defaultTokenLength,
  hasType,
  resolveVerifyOptions,
  type ResolvedOptions,
  type VerifyOptions,
} from './verify-options.ts';

/** A token whose signature and claims have been checked. */
export interface VerifiedJwt<Claims extends JwtClaims = JwtClaims> {
  readonly header: JwtHeader;
  readonly claims: Claims;
}

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
 * token an `exp`, or the default verification refuses it.
 *
 * @example
 * import { generateKey, signJwt } from '@sallyport/jwt';
 *
 * const key = await generateKey('ES256');
 * const token = signJwt({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 900 }, key);
 *
 * @throws {JwtError} `claims_invalid`; `key_invalid` for a public key
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519.html#section-7.1 RFC 7519, section 7.1}
 */
export function signJwt(claims: JwtClaims, key: JwtKey, options: SignOptions = {}): string {
  if (!(key instanceof JwtKey)) throw new TypeError('key must be a JwtKey; wrap a secret in secretKey()');
  refuseUnsignable(claims);
  return signJws(encodeJson(makeHeader(key, options)), claims, key);
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
export function verifyJwt(token: string, options: VerifyOptions<LocalKeys>): VerifiedJwt;
export function verifyJwt(token: string, options: VerifyOptions<RemoteJwkSet>): Promise<VerifiedJwt>;
export function verifyJwt(token: string, options: VerifyOptions): VerifiedJwt | Promise<VerifiedJwt>;
export function verifyJwt(token: string, options: VerifyOptions): VerifiedJwt | Promise<VerifiedJwt> {
  const verdict = verdictOn(token, options);
  return verdict instanceof Promise ? verdict.then(accepted) : accepted(verdict);
}

/** What became of a token: its header and claims, or why it was refused. */
export type JwtOutcome =
  | ({ readonly ok: true } & VerifiedJwt)
  | {
      readonly [Code in JwtErrorCode]: {
        readonly ok: false;
        readonly code: Code;
        readonly details: JwtErrorDetails[Code];
      };
    }[JwtErrorCode];

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
export function tryVerifyJwt(token: string, options: VerifyOptions<LocalKeys>): JwtOutcome;
export function tryVerifyJwt(token: string, options: VerifyOptions<RemoteJwkSet>): Promise<JwtOutcome>;
export function tryVerifyJwt(token: string, options: VerifyOptions): JwtOutcome | Promise<JwtOutcome>;
export function tryVerifyJwt(token: string, options: VerifyOptions): JwtOutcome | Promise<JwtOutcome> {
  const verdict = verdictOn(token, options);
  return verdict instanceof Promise ? verdict.then(toOutcome) : toOutcome(verdict);
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

function verdictOn(token: string, options: VerifyOptions): Verdict<VerifiedJwt> | Promise<Verdict<VerifiedJwt>> {
  const { keys } = options;
  if (isRemote(keys)) return judgeByRemoteKeys(token, keys, options);
  const resolved = resolveVerifyOptions(options);
  return judge(token, ringOf(keys, resolved.algorithms), resolved);
}

async function judgeByRemoteKeys(
  token: string,
  remote: RemoteJwkSet,
  given: VerifyOptions,
): Promise<Verdict<VerifiedJwt>> {
  const options = resolveVerifyOptions(given);
  // Everything that can be refused before a key is needed: a bad token never causes a fetch.
  const jws = splitJws(token, options.maxTokenLength);
  if (jws instanceof Fault) return jws;
  const header = readHeader(jws.header);
  if (header instanceof Fault) return header;
  const unavailable = await remote.refresh(header.kid).catch(keysFault);
  if (unavailable !== undefined) return unavailable;
  if (remote.keys === undefined) return new Fault('keys_unavailable', { reason: 'network' });
  return judge(token, ringOf(remote.keys, options.algorithms), options);
}

function keysFault(error: unknown): Fault {
  if (isJwtError(error) && error.code === 'keys_unavailable') return new Fault(error.code, error.details);
  throw error;
}

/** The signature comes before anything it protects is believed, or even parsed. */
function judge(token: string, ring: KeyRing, options: ResolvedOptions): Verdict<VerifiedJwt> {
  const jws = splitJws(token, options.maxTokenLength);
  if (jws instanceof Fault) return jws;
  const recalled = ring.recall(jws.header);
  const known = recalled ?? ring.identify(jws.header);
  if (known instanceof Fault) return known;
  const forged = signatureFault(jws, known.key);
  if (forged !== undefined) return forged;
  if (recalled === undefined) ring.remember(jws.header, known);
  return judgeSigned(jws, known.header, options);
}

function judgeSigned(jws: CompactJws, header: JwtHeader, options: ResolvedOptions): Verdict<VerifiedJwt> {
  if (options.typ !== undefined && !hasType(header.typ, options.typ)) {
    return new Fault('type_mismatch', { expected: options.typ });
  }
  const claims = readJsonPart(jws.payload);
  if (claims instanceof Fault) return claims;
  return checkClaims(claims, options.claims, options.now ?? Date.now() / 1000) ?? { header, claims };
}

function toOutcome(verdict: Verdict<VerifiedJwt>): JwtOutcome {
  return verdict instanceof Fault
    ? ({ ok: false, code: verdict.code, details: verdict.details } as JwtOutcome)
    : { ok: true, ...verdict };
}

function accepted<Value>(verdict: Verdict<Value>): Value {
  if (verdict instanceof Fault) throw verdict.toError();
  return verdict;
}

function makeHeader(key: JwtKey, { typ = 'JWT', header = {} }: SignOptions): JwtHeader {
  if (typeof typ !== 'string' || typ === '') throw new TypeError('typ must be a string that is not empty');
  if (!isJsonObject(header) || !isJsonValue(header)) throw new TypeError('header must be a JSON object');
  const reserved = reservedParameters.find((name) => Object.hasOwn(header, name));
  if (reserved !== undefined) throw new TypeError(`The header parameter ${reserved} cannot be set`);
  const own: JwtHeader =
    key.keyId === undefined ? { alg: key.algorithm, typ } : { alg: key.algorithm, kid: key.keyId, typ };
  return { ...own, ...header };
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
