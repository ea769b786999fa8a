import { missingFault, type JwtClaims } from './claims.ts';
import { isJsonObject } from './json.ts';
import { signJwt } from './jwt.ts';
import type { LocalKeys } from './jwk-set.ts';
import type { Keys } from './key-ring.ts';
import type { JwtKey } from './key.ts';
import { accepted, whenSettled } from './outcome.ts';
import { verdictOn } from './recent-verifications.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';
import type { JwtSigner } from './signer.ts';
import { accessTokenProfile, accessTokenType } from './token-profile.ts';
import type { VerifiedJwt } from './verification.ts';
import { resolveVerifyOptions, type Expectations, type VerifyOptions } from './verify-options.ts';

/**
 * The claims of a verified access token.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068.html#section-2.2 RFC 9068, section 2.2}
 */
export interface AccessTokenClaims extends JwtClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  /** The client the token was issued to. */
  readonly client_id?: string;
  /** Space-separated scopes. */
  readonly scope?: string;
  /** Role names. */
  readonly roles?: readonly string[];
  /** The session the token belongs to. */
  readonly sid?: string;
  /** The position of the feed when the token was made. */
  readonly af?: number;
  /** When the user signed in, in seconds since 1970: refreshing the token does not move it. */
  readonly auth_time?: number;
}

/** The claims an access token is issued with: RFC 9068 requires more of an issuer than of a verifier. */
export interface NewAccessTokenClaims extends AccessTokenClaims {
  readonly client_id: string;
  readonly iat: number;
  readonly jti: string;
}

/** {@link VerifyOptions} for access tokens: who issued them and whom they are for must be said. */
export interface VerifyAccessTokenOptions<
  From extends Keys = Keys,
  Claims extends object = AccessTokenClaims,
> extends VerifyOptions<From, Claims> {
  /** Default: `at+jwt`. Set it only for issuers that do not follow RFC 9068. */
  readonly typ?: string;
  /** The `iss` accepted, or several. */
  readonly issuer: string | readonly string[];
  /** Our name, or several; the token must be meant for one. */
  readonly audience: string | readonly string[];
}

const requiredWhenIssued = ['iss', 'sub', 'aud', 'client_id', 'iat', 'exp', 'jti'];

/**
 * Issues an access token: a JWT of type `at+jwt`. With a {@link JwtSigner} it returns a promise.
 *
 * @example
 * import { randomUUID } from 'node:crypto';
 * import { generateKey, issueAccessToken } from '@sallyport/jwt';
 *
 * const iat = Math.floor(Date.now() / 1000);
 * const token = issueAccessToken(
 *   {
 *     iss: 'https://auth.example.com',
 *     sub: 'ada',
 *     aud: 'https://api.example.com',
 *     client_id: 'web',
 *     iat,
 *     exp: iat + 900,
 *     jti: randomUUID(),
 *     scope: 'todos:read',
 *   },
 *   await generateKey('ES256'),
 * );
 *
 * @throws {JwtError} `claim_missing`, `claims_invalid`; `key_invalid` for a public key
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068.html#section-2 RFC 9068, section 2}
 */
export function issueAccessToken(claims: NewAccessTokenClaims, key: JwtKey): string;
export function issueAccessToken(claims: NewAccessTokenClaims, signer: JwtSigner): Promise<string>;
export function issueAccessToken(claims: NewAccessTokenClaims, key: JwtKey | JwtSigner): string | Promise<string>;
export function issueAccessToken(claims: NewAccessTokenClaims, key: JwtKey | JwtSigner): string | Promise<string> {
  if (!isJsonObject(claims)) throw new TypeError('claims must be an object');
  const fault = missingFault(claims, requiredWhenIssued) ?? accessTokenProfile.shapesFault(claims);
  if (fault !== undefined) throw fault.toError();
  return signJwt(claims, key, { typ: accessTokenType });
}

/**
 * Verifies an access token and returns its header and claims.
 *
 * Checks the signature, `typ`, `iss`, `aud`, `sub` and the times, and the types of the claims named in
 * {@link AccessTokenClaims}. Does **not** check scopes, roles or revocation: use a guard or `introspect`.
 *
 * @example
 * import { issuerJwkSet, verifyAccessToken } from '@sallyport/jwt';
 *
 * const issuer = 'https://auth.example.com';
 * const keys = issuerJwkSet(issuer);
 * const verify = (token: string) => verifyAccessToken(token, { keys, issuer, audience: 'https://api.example.com' });
 *
 * @throws {JwtError} as `verifyJwt` does
 * @throws {TypeError} for options that do not make sense, whatever the token
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068.html#section-4 RFC 9068, section 4}
 */
export function verifyAccessToken<Claims extends object = AccessTokenClaims>(
  token: string,
  options: VerifyAccessTokenOptions<LocalKeys, Claims>,
): VerifiedJwt<Claims>;
export function verifyAccessToken<Claims extends object = AccessTokenClaims>(
  token: string,
  options: VerifyAccessTokenOptions<RemoteJwkSet, Claims>,
): Promise<VerifiedJwt<Claims>>;
export function verifyAccessToken<Claims extends object = AccessTokenClaims>(
  token: string,
  options: VerifyAccessTokenOptions<Keys, Claims>,
): VerifiedJwt<Claims> | Promise<VerifiedJwt<Claims>>;
export function verifyAccessToken(
  token: string,
  options: VerifyAccessTokenOptions<Keys, object>,
): VerifiedJwt<object> | Promise<VerifiedJwt<object>> {
  return whenSettled(verdictOn(token, options, resolveAccessTokenOptions), accepted);
}

/** Validates the options of {@link verifyAccessToken} and fills in what access tokens are always held against. */
export function resolveAccessTokenOptions(options: Omit<VerifyAccessTokenOptions<Keys, object>, 'now'>): Expectations {
  // Named once more so that leaving one out is refused, not taken for "do not check".
  const { issuer, audience, typ = accessTokenType } = options;
  return resolveVerifyOptions({ ...options, issuer, audience, typ }, accessTokenProfile);
}
