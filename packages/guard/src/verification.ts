import {
  type AccessTokenClaims,
  isJwtError,
  type JwtErrorCode,
  type Keys,
  type LocalKeys,
  type RemoteJwkSet,
  type VerifiedJwt,
  verifyAccessToken,
} from '@sallyport/jwt';
import type { ResolvedGuardOptions } from './guard-options.ts';
import type { RefusalCode } from './refusal.ts';

/** What verification makes of a token: believed, or refused for a reason the caller may know. */
export type Verification =
  | { readonly verified: true; readonly token: VerifiedJwt<AccessTokenClaims> }
  | { readonly verified: false; readonly code: RefusalCode; readonly cause?: unknown };

export type Verifier = (token: string) => Verification | Promise<Verification>;

/** How each reason reaches the caller. `undefined`: no token is at fault, so the error goes on as it is. */
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
  const { keys, algorithms, issuer, audience, typ, clockTolerance, now } = options;
  const fixed = { issuer, audience, typ, clockTolerance, ...(algorithms === undefined ? {} : { algorithms }) };

  const verifyAtHand = (token: string, local: LocalKeys): Verification => {
    try {
      return accept(verifyAccessToken(token, { ...fixed, keys: local, now: now() }));
    } catch (error) {
      return refuse(error);
    }
  };
  const verifyFetched = async (token: string, remote: RemoteJwkSet): Promise<Verification> => {
    try {
      return accept(await verifyAccessToken(token, { ...fixed, keys: remote, now: now() }));
    } catch (error) {
      return refuse(error);
    }
  };
  if (!isRemote(keys)) return (token) => verifyAtHand(token, keys);
  return (token) => {
    const verification = keys.keys && verifyAtHand(token, keys.keys);
    return verification === undefined || isKeyUnknown(verification) ? verifyFetched(token, keys) : verification;
  };
}

function isRemote(keys: Keys): keys is RemoteJwkSet {
  return 'refresh' in keys;
}

/** The issuer may have published a fitting key since: worth asking, at the pace the remote set allows. */
function isKeyUnknown(verification: Verification): boolean {
  if (verification.verified || !isJwtError(verification.cause)) return false;
  return verification.cause.code === 'key_not_found' || verification.cause.code === 'algorithm_not_allowed';
}

function accept(token: VerifiedJwt<AccessTokenClaims>): Verification {
  return { verified: true, token };
}

function refuse(error: unknown): Verification {
  const code = isJwtError(error) ? codes[error.code] : undefined;
  if (code === undefined) throw error;
  return { verified: false, code, cause: error };
}
