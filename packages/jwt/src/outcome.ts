import type { JwtClaims } from './claims.ts';
import type { JwtErrorCode, JwtErrorDetails } from './errors.ts';
import { Fault, type Verdict } from './fault.ts';
import type { VerifiedJwt } from './verification.ts';

/** What became of a token: its header and claims, or why it was refused. */
export type JwtOutcome<Claims extends object = JwtClaims> =
  | ({ readonly ok: true } & VerifiedJwt<Claims>)
  | {
      readonly [Code in JwtErrorCode]: {
        readonly ok: false;
        readonly code: Code;
        readonly details: JwtErrorDetails[Code];
      };
    }[JwtErrorCode];

/** Tells a verdict as a value. */
export function toOutcome(verdict: Verdict<VerifiedJwt<object>>): JwtOutcome<object> {
  return verdict instanceof Fault
    ? ({ ok: false, code: verdict.code, details: verdict.details } as JwtOutcome)
    : { ok: true, header: verdict.header, claims: verdict.claims };
}

/** Tells a verdict by returning or throwing. */
export function accepted<Value>(verdict: Verdict<Value>): Value {
  if (verdict instanceof Fault) throw verdict.toError();
  return verdict;
}
