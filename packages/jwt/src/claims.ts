import { Fault } from './fault.ts';
import type { JsonObject } from './json.ts';

/**
 * The claims of a JWT.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519.html#section-4.1 RFC 7519, section 4.1}
 */
export interface JwtClaims {
  /** Issuer. */
  readonly iss?: string;
  /** Subject. */
  readonly sub?: string;
  /** Audience. */
  readonly aud?: string | readonly string[];
  /** Expiry, in seconds since 1970. */
  readonly exp?: number;
  /** Not before, in seconds since 1970. */
  readonly nbf?: number;
  /** Issued at, in seconds since 1970. */
  readonly iat?: number;
  /** The token's identifier. */
  readonly jti?: string;
  readonly [name: string]: unknown;
}

/** What the claims of a token are held against. */
export interface ClaimExpectations {
  readonly issuers: readonly string[] | undefined;
  readonly audiences: readonly string[] | undefined;
  readonly subject: string | undefined;
  readonly required: readonly string[];
  /** Seconds that `nbf` and `iat` may lie ahead of `now`. */
  readonly tolerance: number;
  /** Seconds since `iat`. */
  readonly maximumAge: number | undefined;
  /** Checks the types of the claims that belong to the kind of token. */
  readonly shapesFault: (claims: JsonObject) => Fault | undefined;
}

/** The furthest a Date reaches, in seconds. */
const furthestDate = 8.64e12;

/** Checks the types of the registered claims that are present (RFC 7519, section 4.1); returns the first fault. */
export function claimsFault({ iss, sub, aud, exp, nbf, iat, jti }: JsonObject): Fault | undefined {
  if (iss !== undefined && !isText(iss)) return invalid('iss');
  if (sub !== undefined && !isText(sub)) return invalid('sub');
  if (aud !== undefined && !isAudience(aud)) return invalid('aud');
  if (exp !== undefined && !isNumericDate(exp)) return invalid('exp');
  if (nbf !== undefined && !isNumericDate(nbf)) return invalid('nbf');
  if (iat !== undefined && !isNumericDate(iat)) return invalid('iat');
  return jti === undefined || isText(jti) ? undefined : invalid('jti');
}

/** Returns the first required claim that is absent, as a fault. */
export function missingFault(claims: JsonObject, required: readonly string[]): Fault | undefined {
  for (const claim of required) {
    if (!Object.hasOwn(claims, claim)) return new Fault('claim_missing', { claim });
  }
  return undefined;
}

/**
 * Holds the claims of a token against what is expected; returns the first fault.
 * Time comes last, so that `expired` means: everything else fits.
 */
export function checkClaims(claims: JsonObject, expected: ClaimExpectations, now: number): Fault | undefined {
  const fault = missingFault(claims, expected.required) ?? claimsFault(claims) ?? expected.shapesFault(claims);
  if (fault !== undefined) return fault;
  // Every registered claim that is present has its type from here on.
  const typed = claims as JwtClaims;
  return (
    issuerFault(typed, expected) ??
    subjectFault(typed, expected) ??
    audienceFault(typed, expected) ??
    timeFault(typed, expected, now)
  );
}

/** RFC 7519, section 4.1.1: the very same text, never a prefix or a list. */
function issuerFault({ iss }: JwtClaims, { issuers }: ClaimExpectations): Fault | undefined {
  if (issuers === undefined || (iss !== undefined && issuers.includes(iss))) return undefined;
  return iss === undefined ? new Fault('claim_missing', { claim: 'iss' }) : mismatch('iss');
}

function subjectFault({ sub }: JwtClaims, { subject }: ClaimExpectations): Fault | undefined {
  if (subject === undefined || sub === subject) return undefined;
  return sub === undefined ? new Fault('claim_missing', { claim: 'sub' }) : mismatch('sub');
}

/** RFC 7519, section 4.1.3: whoever is not named must refuse the token, so also whoever has no name. */
function audienceFault({ aud }: JwtClaims, { audiences }: ClaimExpectations): Fault | undefined {
  if (aud === undefined) return audiences === undefined ? undefined : new Fault('claim_missing', { claim: 'aud' });
  const isOurs = typeof aud === 'string' ? audiences?.includes(aud) : aud.some((name) => audiences?.includes(name));
  return isOurs === true ? undefined : mismatch('aud');
}

/** The only checks whose outcome changes while nothing else does. */
export function timeFault(
  { exp, nbf, iat }: JwtClaims,
  { tolerance, maximumAge }: ClaimExpectations,
  now: number,
): Fault | undefined {
  if (nbf !== undefined && nbf > now + tolerance) return notYetValid('nbf', nbf);
  if (iat !== undefined && iat > now + tolerance) return notYetValid('iat', iat);
  // RFC 7519, section 4.1.4: on or after exp the token is refused.
  if (exp !== undefined && exp <= now) return new Fault('expired', { expiredAt: date(exp) });
  if (maximumAge === undefined) return undefined;
  if (iat === undefined) return new Fault('claim_missing', { claim: 'iat' });
  return now - iat > maximumAge ? new Fault('token_too_old', { issuedAt: date(iat) }) : undefined;
}

/** A claim of the wrong type, or one that cannot be. */
export function invalid(claim: string): Fault {
  return new Fault('claims_invalid', { claim });
}

function mismatch(claim: string): Fault {
  return new Fault('claim_mismatch', { claim });
}

function notYetValid(claim: 'nbf' | 'iat', from: number): Fault {
  return new Fault('not_yet_valid', { claim, validFrom: date(from) });
}

function date(seconds: number): Date {
  return new Date(seconds * 1000);
}

/** A claim that names something is a string that is not empty. */
export function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isAudience(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 && value.every(isText) : isText(value);
}

/** A number a Date can hold: 1e400 parses to Infinity, and 9e99 is no moment. */
function isNumericDate(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= furthestDate;
}
