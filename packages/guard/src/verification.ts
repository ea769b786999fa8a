import {
  type AccessTokenClaims,
  createAccessTokenVerifier,
  JwtError,
  type JwtErrorCode,
  type JwtOutcome,
  type VerifiedJwt,
} from '@sallyport/jwt';
import type { ResolvedGuardOptions } from './guard-options.ts';
import type { RefusalCode } from './refusal.ts';

/** What verification makes of a token: believed, or refused for a reason the caller may know. */
export type Verification =
  | { readonly verified: true; readonly token: VerifiedJwt<AccessTokenClaims> }
  | { readonly verified: false; readonly code: RefusalCode; readonly cause?: unknown };

export type Verifier = (token: string) => Verification | Promise<Verification>;

/** How each reason reaches the caller. `undefined`: no token is at fault, so it is thrown. */
const codes = {
  token_malformed: 'token_invalid',
  token_too_large: 'token_invalid',
  algorithm_not_allowed: 'token_invalid',
  critical_header_unsupported: 'token_invalid',
  type_mismatch: 'token_invalid',
  key_not_found: 'token_invalid',
  key_invalid: undefined,
  keys_unavailable: 'temporarily_unavailable',
  signature_invalid: 'token_invalid',
  claims_invalid: 'token_invalid',
  claim_missing: 'token_invalid',
  claim_mismatch: 'token_invalid',
  expired: 'token_expired',
  not_yet_valid: 'token_invalid',
  token_too_old: 'token_invalid',
  json_invalid: 'token_invalid',
} as const satisfies Record<JwtErrorCode, RefusalCode | undefined>;

/** Fixes everything about verification but the token and the time. Synchronous whenever the keys are at hand. */
export function createVerifier(options: ResolvedGuardOptions): Verifier {
  const { keys, algorithms, issuer, audience, typ, clockTolerance, cacheSize, now } = options;
  const accepted = algorithms === undefined ? {} : { algorithms };
  const fixed = { keys, ...accepted, issuer, audience, typ, clockTolerance, cacheSize, now };
  const verifier = createAccessTokenVerifier(fixed);
  return (token) => {
    const outcome = verifier.tryVerify(token);
    return outcome instanceof Promise ? outcome.then(toVerification) : toVerification(outcome);
  };
}

function toVerification(outcome: JwtOutcome<AccessTokenClaims>): Verification {
  if (outcome.ok) return { verified: true, token: outcome };
  const code = codes[outcome.code];
  if (code !== undefined && code !== 'temporarily_unavailable') return { verified: false, code };
  const cause = new JwtError(outcome.code, outcome.details, { cause: outcome.cause });
  if (code === undefined) throw cause;
  return { verified: false, code, cause };
}
