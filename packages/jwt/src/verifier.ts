import { resolveAccessTokenOptions, type AccessTokenClaims } from './access-token.ts';
import type { JwtClaims } from './claims.ts';
import type { Verdict } from './fault.ts';
import type { LocalKeys } from './jwk-set.ts';
import { isRemote, type Keys } from './key-ring.ts';
import { readOptions, secondsOf, systemTime, within } from './option-values.ts';
import { accepted, toOutcome, whenSettled, type JwtOutcome } from './outcome.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';
import { judgeByRemoteKeys, LatestVerification, Verification, type VerifiedJwt } from './verification.ts';
import { resolveVerifyOptions, type Expectations, type VerifyConditions } from './verify-options.ts';

/** What {@link createJwtVerifier} fixes for every token. */
export interface JwtVerifierOptions<
  From extends Keys = Keys,
  Claims extends object = JwtClaims,
> extends VerifyConditions<From, Claims> {
  /**
   * How many verified tokens are remembered, so that the same token costs next to nothing the next time: about 1.1 KB
   * each for ordinary tokens. At most 1,000,000. Default: 0, none.
   */
  readonly cacheSize?: number;
  /** The clock. Default: the system's. */
  readonly now?: () => Date;
}

/** What {@link createAccessTokenVerifier} fixes for every token. */
export interface AccessTokenVerifierOptions<
  From extends Keys = Keys,
  Claims extends object = AccessTokenClaims,
> extends JwtVerifierOptions<From, Claims> {
  /** Default: `at+jwt`. Set it only for issuers that do not follow RFC 9068. */
  readonly typ?: string;
  /** The `iss` accepted, or several. */
  readonly issuer: string | readonly string[];
  /** Our name, or several; the token must be meant for one. */
  readonly audience: string | readonly string[];
}

/** Verifies tokens under fixed options, with keys in hand. */
export interface JwtVerifier<Claims extends object = JwtClaims> {
  /** Returns header and claims, as `verifyJwt` does. Throws {@link JwtError}. */
  verify(token: string): VerifiedJwt<Claims>;
  /** The same checks, and the refusal as a value, as `tryVerifyJwt` does. */
  tryVerify(token: string): JwtOutcome<Claims>;
}

/** Verifies tokens under fixed options: at once while the keys it needs are in hand, else with a promise. */
export interface RemoteJwtVerifier<Claims extends object = JwtClaims> {
  /**
   * Returns header and claims, as `verifyJwt` does. {@link JwtError} is thrown where it answers at once, and what the
   * promise rejects with where it does not: with `await` inside the `try` they are the same.
   */
  verify(token: string): VerifiedJwt<Claims> | Promise<VerifiedJwt<Claims>>;
  /** The same checks, and the refusal as a value, as `tryVerifyJwt` does. */
  tryVerify(token: string): JwtOutcome<Claims> | Promise<JwtOutcome<Claims>>;
}

/**
 * Makes a verifier: `verifyJwt` with everything fixed but the token.
 *
 * The options are checked here, once. With `cacheSize` a token that was found good is recognised the next time without
 * its signature: only under these options, only until it expires, and only while the keys are the same; its claims are
 * frozen, for several callers get them. Does **not** check scopes, roles or revocation.
 *
 * @example
 * import { createJwtVerifier, secretKey } from '@sallyport/jwt';
 *
 * const keys = secretKey('thirty-two random bytes, not words');
 * const verifier = createJwtVerifier({ keys, issuer: 'https://auth.example.com', cacheSize: 10_000 });
 * const outcome = verifier.tryVerify('not.a.token');
 * if (!outcome.ok) console.log(outcome.code); // token_malformed
 *
 * @throws {JwtError} `key_invalid`
 * @throws {TypeError} for options that do not make sense
 */
export function createJwtVerifier<Claims extends object = JwtClaims>(
  options: JwtVerifierOptions<LocalKeys, Claims>,
): JwtVerifier<Claims>;
export function createJwtVerifier<Claims extends object = JwtClaims>(
  options: JwtVerifierOptions<Keys, Claims>,
): RemoteJwtVerifier<Claims>;
export function createJwtVerifier(options: JwtVerifierOptions<Keys, object>): RemoteJwtVerifier<object> {
  const { cacheSize, now, ...conditions } = readOptions(options);
  return makeVerifier(conditions.keys, resolveVerifyOptions(conditions), cacheSize, now);
}

/**
 * Makes a verifier of access tokens: `verifyAccessToken` with everything fixed but the token.
 *
 * See {@link createJwtVerifier} for the cache.
 *
 * @example
 * import { createAccessTokenVerifier, issuerJwkSet } from '@sallyport/jwt';
 *
 * const issuer = 'https://auth.example.com';
 * const keys = issuerJwkSet(issuer);
 * const verifier = createAccessTokenVerifier({ keys, issuer, audience: 'https://api.example.com', cacheSize: 10_000 });
 * const subjectOf = async (token: string) => (await verifier.verify(token)).claims.sub;
 *
 * @throws {JwtError} `key_invalid`
 * @throws {TypeError} for options that do not make sense
 */
export function createAccessTokenVerifier<Claims extends object = AccessTokenClaims>(
  options: AccessTokenVerifierOptions<LocalKeys, Claims>,
): JwtVerifier<Claims>;
export function createAccessTokenVerifier<Claims extends object = AccessTokenClaims>(
  options: AccessTokenVerifierOptions<Keys, Claims>,
): RemoteJwtVerifier<Claims>;
export function createAccessTokenVerifier(
  options: AccessTokenVerifierOptions<Keys, object>,
): RemoteJwtVerifier<object> {
  const { cacheSize, now, ...conditions } = readOptions(options);
  return makeVerifier(conditions.keys, resolveAccessTokenOptions(conditions), cacheSize, now);
}

/** Judges one token; a promise only when keys must be fetched for it. */
type Judge = (token: string) => Verdict<VerifiedJwt<object>> | Promise<Verdict<VerifiedJwt<object>>>;

function makeVerifier(keys: Keys, expected: Expectations, cacheSize = 0, now?: () => Date): RemoteJwtVerifier<object> {
  const size = within('cacheSize', cacheSize, 0, 1_000_000);
  if (!Number.isInteger(size)) throw new TypeError('cacheSize must be a whole number');
  if (now !== undefined && typeof now !== 'function') throw new TypeError('now must be a function that returns a Date');
  const seconds = now === undefined ? systemTime : (): number => secondsOf(now());
  const judge = isRemote(keys)
    ? judgeByKeysOf(keys, expected, size, seconds)
    : judgeBy(new Verification(keys, expected, size), seconds);
  return {
    verify: (token) => whenSettled(judge(token), accepted),
    tryVerify: (token) => whenSettled(judge(token), toOutcome),
  };
}

function judgeBy(verification: Verification, seconds: () => number): Judge {
  return (token) => verification.judge(token, seconds());
}

function judgeByKeysOf(remote: RemoteJwkSet, expected: Expectations, cacheSize: number, seconds: () => number): Judge {
  const verifications = new LatestVerification(expected, cacheSize);
  return (token) => judgeByRemoteKeys(token, remote, verifications, seconds);
}
