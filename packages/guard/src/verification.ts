import {
  type AccessTokenClaims,
  createAccessTokenVerifier,
  JwtError,
  type JwtErrorCode,
  type JwtOutcome,
  type SchemaResult,
  type StandardSchema,
  type VerifiedJwt,
} from '@sallyport/jwt';
import { systemTime } from './replica/feed/clocks.ts';
import type { ResolvedGuardOptions } from './resolved-guard-options.ts';
import type { RefusalCode } from './refusal.ts';
import { whenSettled } from './settled.ts';

/** A verified token: its claims as they are, and as the application's schema makes them. */
export interface VerifiedToken extends VerifiedJwt<AccessTokenClaims> {
  readonly typedClaims: object;
}

/** What verification makes of a token: believed, or refused for a reason the caller may know. */
export type Verification =
  | { readonly verified: true; readonly token: VerifiedToken }
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

/**
 * Fixes everything about verification but the token and the time. Synchronous whenever the keys are at hand and the
 * application need not be asked.
 */
export function createVerifier(options: ResolvedGuardOptions): Verifier {
  const verify = createTokenVerifier(options);
  return options.isRevoked === undefined ? verify : askingWhetherRevoked(verify, options.isRevoked);
}

function createTokenVerifier(options: ResolvedGuardOptions): Verifier {
  const { keys, algorithms, issuer, audience, typ, clockTolerance, cacheSize, now, claims: schema } = options;
  const accepted = algorithms === undefined ? {} : { algorithms };
  // The verifier reads the system's clock in less time than a Date takes.
  const clock = now === systemTime ? {} : { now };
  const fixed = { keys, ...accepted, ...clock, issuer, audience, typ, clockTolerance, cacheSize };
  if (schema === undefined) {
    const verifier = createAccessTokenVerifier(fixed);
    const asStated = ({ header, claims }: VerifiedJwt<AccessTokenClaims>) => ({ header, claims, typedClaims: claims });
    return (token) => whenSettled(verifier.tryVerify(token), (outcome) => toVerification(outcome, asStated));
  }
  const verifier = createAccessTokenVerifier({ ...fixed, schema: besideStated(schema) });
  const asTyped = ({ header, claims }: VerifiedJwt<BothClaims>) => ({
    header,
    claims: claims.stated,
    typedClaims: claims.typed,
  });
  return (token) => whenSettled(verifier.tryVerify(token), (outcome) => toVerification(outcome, asTyped));
}

interface BothClaims {
  readonly stated: AccessTokenClaims;
  readonly typed: object;
}

/** Rights and revocation go by the claims as they are, whatever a schema leaves out or makes of them. */
function besideStated(schema: StandardSchema<object>): StandardSchema<BothClaims> {
  const both = (stated: unknown, result: SchemaResult<object>): SchemaResult<BothClaims> =>
    result.issues === undefined
      ? // The verifier has checked the claims it gives to the schema.
        { value: { stated: stated as AccessTokenClaims, typed: result.value } }
      : result;
  const validate = (claims: unknown): ReturnType<StandardSchema<BothClaims>['~standard']['validate']> =>
    whenSettled(schema['~standard'].validate(claims), (result) => both(claims, result));
  return { '~standard': { version: 1, validate } };
}

function toVerification<Claims extends object>(
  outcome: JwtOutcome<Claims>,
  read: (token: VerifiedJwt<Claims>) => VerifiedToken,
): Verification {
  if (outcome.ok) return { verified: true, token: read(outcome) };
  const code = codes[outcome.code];
  if (code !== undefined && code !== 'temporarily_unavailable') return { verified: false, code };
  const cause = new JwtError(outcome.code, outcome.details, { cause: outcome.cause });
  if (code === undefined) throw cause;
  return { verified: false, code, cause };
}

/** Asks about every token that verifies, each time: nothing of the answer is remembered. */
function askingWhetherRevoked(verify: Verifier, isRevoked: NonNullable<ResolvedGuardOptions['isRevoked']>): Verifier {
  return async (token) => {
    const verification = await verify(token);
    if (!verification.verified) return verification;
    try {
      const answer: unknown = await isRevoked(verification.token.claims);
      if (answer === false) return verification;
      if (answer === true) return { verified: false, code: 'token_revoked' };
      throw new TypeError('isRevoked must answer true or false');
    } catch (cause) {
      return { verified: false, code: 'temporarily_unavailable', cause };
    }
  };
}
