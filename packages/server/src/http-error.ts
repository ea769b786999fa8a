/** One thing wrong with one field of a request. */
export interface FieldError {
  /** The field's wire name; a path with dots inside lists (`roles.1`). */
  readonly field: string;
  readonly message: string;
}

/** What each refusal of the HTTP layer itself can tell the caller besides its code. */
export interface HttpErrorDetails {
  /** The request target, with or without its `Host`, is no URL. */
  target_malformed: Readonly<Record<never, never>>;
  /** The query cannot be read, or its parameters are unknown or of the wrong form; every one is listed. */
  query_invalid: { readonly reason: string } | { readonly errors: readonly FieldError[] };
  /** The body is missing or unwanted, did not arrive whole, is not valid JSON or form data, or repeats a field. */
  body_malformed: { readonly reason: string };
  /** The body is longer than 64 KiB. */
  body_too_large: Readonly<Record<never, never>>;
  /** The body's `Content-Type` is none that this operation reads. */
  media_type_unsupported: { readonly accepted: readonly string[] };
  /** Fields are unknown, missing or of the wrong form; every one is listed. */
  value_invalid: { readonly errors: readonly FieldError[] };
  /** The token request does not add up. */
  request_invalid: { readonly reason: string };
  /** The `grant_type` is none that this endpoint knows. */
  grant_type_unsupported: { readonly supported: readonly string[] };
  /** The caller would give, take or touch rights they do not hold themselves. */
  insufficient_scope: Readonly<Record<never, never>>;
  /** The route is for guards: it wants a feed credential. */
  feed_credential_missing: Readonly<Record<never, never>>;
  /** The pings of a guard arrive at another process than its stream, or its stream has ended. */
  feed_stream_elsewhere: Readonly<Record<never, never>>;
  /** Another site may have made a browser send the request. What `proof` names makes up for a browser that says nothing. */
  csrf_proof_missing: { readonly proof: 'csrf_token' | 'json' };
  /** The user name or the password is wrong, or the user is disabled: which of them is never told. */
  sign_in_refused: Readonly<Record<never, never>>;
  /** Nothing is at this path. */
  not_found: Readonly<Record<never, never>>;
  /** The path exists, but not for this method. */
  method_not_allowed: { readonly allow: readonly string[] };
}

/** Every code an {@link HttpError} can carry. */
export type HttpErrorCode = keyof HttpErrorDetails;

/** Thrown when a request is refused before, or without asking, the engine. Never holds what the caller sent but field names. */
export class HttpError<Code extends HttpErrorCode = HttpErrorCode> extends Error {
  override readonly name = 'HttpError';
  readonly code: Code;
  readonly details: HttpErrorDetails[Code];

  constructor(code: Code, details: HttpErrorDetails[Code], options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}

/** {@link HttpError} as a union over its codes, so that `switch (error.code)` narrows `error.details`. */
export type AnyHttpError = { [Code in HttpErrorCode]: HttpError<Code> }[HttpErrorCode];

/** Tells whether a caught value is an {@link HttpError}. */
export function isHttpError(error: unknown): error is AnyHttpError {
  return error instanceof HttpError;
}
