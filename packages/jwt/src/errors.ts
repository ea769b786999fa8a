/** The details of an error code that has none. */
export type NoDetails = Readonly<Record<never, never>>;

/** Why a text is not strict JSON. */
export type JsonRefusal = 'syntax' | 'encoding' | 'duplicate_member' | 'depth';

/** Why a set of keys could not be fetched. */
export type KeysRefusal = 'network' | 'timeout' | 'status' | 'size' | 'content' | 'issuer';

/**
 * Every error code, with its details and what the caller should do about it.
 *
 * Codes are stable. Nothing here holds text of a token or of a key: values an attacker chooses stay out of logs.
 */
export interface JwtErrorDetails {
  /** Not a compact JWS of three canonical base64url parts holding JSON objects. Refuse it: no honest issuer made it. */
  token_malformed: NoDetails;
  /** Longer than `maxTokenLength` characters. Refuse it, or raise the limit if your issuer's tokens are that long. */
  token_too_large: { readonly length: number; readonly maximum: number };
  /** Signed with an algorithm the keys or `algorithms` do not allow; `algorithm` is undefined when it has no name we know. Refuse it. */
  algorithm_not_allowed: { readonly algorithm: string | undefined };
  /** Carries `crit` or `b64`: the issuer asks for an extension that is not implemented here. Refuse it. */
  critical_header_unsupported: NoDetails;
  /** The `typ` header is absent or not the expected one: a token of another kind. Refuse it. */
  type_mismatch: { readonly expected: string };
  /** No key, or more than one, fits the token's algorithm and key id. Refuse it; if it was honest, its key was retired. */
  key_not_found: NoDetails;
  /** The key material is weak, malformed or not for signatures. Fix the configuration: no token is at fault. */
  key_invalid: { readonly reason: string };
  /** The issuer's keys cannot be fetched and none are in hand. Answer 503 and try again: the token may well be good. */
  keys_unavailable: { readonly reason: KeysRefusal };
  /** The signature does not fit: the token was altered, or signed with another key. Refuse it. */
  signature_invalid: NoDetails;
  /** A claim has a type or value it may not have. Refuse the token; when signing, fix the claim. */
  claims_invalid: { readonly claim: string };
  /** A required claim is absent. Refuse the token; when signing, add the claim. */
  claim_missing: { readonly claim: string };
  /** A claim is not the expected one: the token is for or from somebody else. Refuse it. */
  claim_mismatch: { readonly claim: string };
  /** Everything else fits, but the token's lifetime is over. Ask the client to refresh it. */
  expired: { readonly expiredAt: Date };
  /** `nbf` or `iat` lies in the future. Refuse it, and compare the clocks of both machines. */
  not_yet_valid: { readonly claim: 'nbf' | 'iat'; readonly validFrom: Date };
  /** Issued longer ago than `maxTokenAge`. Ask the client for a fresh token. */
  token_too_old: { readonly issuedAt: Date };
  /** The text is not strict JSON. Answer 400. */
  json_invalid: { readonly reason: JsonRefusal };
}

/** The stable name of one way to be refused; each is explained in {@link JwtErrorDetails}. */
export type JwtErrorCode = keyof JwtErrorDetails;

const messages: { readonly [Code in JwtErrorCode]: (details: JwtErrorDetails[Code]) => string } = {
  token_malformed: () => 'The token is malformed',
  token_too_large: ({ length, maximum }) => `The token has ${length} characters; at most ${maximum} are allowed`,
  algorithm_not_allowed: ({ algorithm }) => `The algorithm ${algorithm ?? 'of the token'} is not allowed`,
  critical_header_unsupported: () => 'The token requires an extension that is not supported',
  type_mismatch: ({ expected }) => `The token is not of type ${expected}`,
  key_not_found: () => 'No key, or more than one, fits the token',
  key_invalid: ({ reason }) => `The key is refused: ${reason}`,
  keys_unavailable: ({ reason }) => `The keys cannot be fetched (${reason})`,
  signature_invalid: () => 'The signature is invalid',
  claims_invalid: ({ claim }) => `The claim ${claim} is invalid`,
  claim_missing: ({ claim }) => `The claim ${claim} is missing`,
  claim_mismatch: ({ claim }) => `The claim ${claim} is not the expected one`,
  expired: ({ expiredAt }) => `The token expired at ${expiredAt.toISOString()}`,
  not_yet_valid: ({ claim, validFrom }) => `The token is not valid before ${validFrom.toISOString()} (${claim})`,
  token_too_old: ({ issuedAt }) => `The token is too old: it was issued at ${issuedAt.toISOString()}`,
  json_invalid: ({ reason }) => `The text is not strict JSON (${reason})`,
};

/**
 * Thrown when a token, a key or a text is refused. Branch on `code`: codes are stable, messages are for logs.
 *
 * Carries no stack trace: a refusal is an answer, and an attacker can ask for millions of them.
 *
 * @example
 * import { isJwtError, secretKey, signJwt, verifyJwt } from '@sallyport/jwt';
 *
 * const keys = secretKey('thirty-two random bytes, not words');
 * const token = signJwt({ exp: 1 }, keys);
 *
 * try {
 *   verifyJwt(token, { keys });
 * } catch (error) {
 *   if (isJwtError(error) && error.code === 'expired') console.log('expired at', error.details.expiredAt);
 *   else throw error;
 * }
 */
export class JwtError<Code extends JwtErrorCode = JwtErrorCode> extends Error {
  /** What went wrong. */
  readonly code: Code;
  /** The facts behind the code, by its type. */
  readonly details: JwtErrorDetails[Code];

  static {
    this.prototype.name = 'JwtError';
  }

  constructor(code: Code, details: JwtErrorDetails[Code], options?: ErrorOptions) {
    const message = messages[code](details);
    const { stackTraceLimit } = Error;
    // Not an assignment, which throws where the intrinsics are frozen.
    Reflect.set(Error, 'stackTraceLimit', 0);
    super(message, options);
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
    this.code = code;
    this.details = details;
  }
}

/** Any {@link JwtError}, as a union: `switch (error.code)` narrows `error.details`. */
export type AnyJwtError = { [Code in JwtErrorCode]: JwtError<Code> }[JwtErrorCode];

/**
 * Tells whether a caught value is a {@link JwtError}.
 *
 * @example
 * import { isJwtError } from '@sallyport/jwt';
 *
 * const statusFor = (error: unknown) => (isJwtError(error) && error.code !== 'keys_unavailable' ? 401 : 503);
 */
export function isJwtError(error: unknown): error is AnyJwtError {
  return error instanceof JwtError;
}
