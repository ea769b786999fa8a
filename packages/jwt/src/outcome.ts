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
        /** The error behind the refusal, where there is one: why keys could not be fetched. */
        readonly cause?: unknown;
      };
    }[JwtErrorCode];

/** Goes on with a verdict, now or when it is there. */
export function whenSettled<Value, Result>(
  verdict: Value | Promise<Value>,
  tell: (settled: Value) => Result,
): Result | Promise<Result> {
  return verdict instanceof Promise ? verdict.then(tell) : tell(verdict);
}

/** Tells a verdict as a value. */
export function toOutcome(verdict: Verdict<VerifiedJwt<object>>): JwtOutcome<object> {
  if (!(verdict instanceof Fault)) return { ok: true, header: verdict.header, claims: verdict.claims };
  const { code, details, cause } = verdict;
  return (cause === undefined ? { ok: false, code, details } : { ok: false, code, details, cause }) as JwtOutcome;
}

/** Tells a verdict by returning or throwing. */
export function accepted<Value>(verdict: Verdict<Value>): Value {
  if (verdict instanceof Fault) throw verdict.toError();
  return verdict;
}
