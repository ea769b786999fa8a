import type { RefreshOutcome } from './sessions/refresh-rotation.ts';

/** What each refusal can tell the caller besides its code. Nothing here ever holds a token, a password or a key. */
export interface AuthErrorDetails {
  /** The configuration is unusable; every problem is listed. Fix it and start again. */
  config_invalid: { readonly problems: readonly string[] };
  /** The user name or the password is wrong, or the user is disabled: which of them is never told. */
  credentials_invalid: Readonly<Record<never, never>>;
  /** The session is too old for this: sign in again, or send the current password. `maxAge` is in seconds. */
  sign_in_too_old: { readonly maxAge: number };
  /** A value has the wrong form. Show `reason` beside the field. */
  value_invalid: { readonly field: string; readonly reason: string };
  /** The new password is too short, too long or too easy to guess. Show `reason`. */
  password_refused: { readonly reason: string };
  /** An application signs this user in, so the account has no password and gets none. */
  passwordless_account: Readonly<Record<never, never>>;
  /** Another user has this name, whatever its case. Choose another one. */
  username_taken: Readonly<Record<never, never>>;
  /** Another user has this e-mail address. */
  email_taken: Readonly<Record<never, never>>;
  /** Registration is closed: ask an administrator for an account. */
  registration_closed: Readonly<Record<never, never>>;
  /** No user has this id or name. */
  user_not_found: Readonly<Record<never, never>>;
  /** No live session has this id. */
  session_not_found: Readonly<Record<never, never>>;
  /** No role has this name. */
  role_not_found: { readonly role: string };
  /** No signing key has this id. */
  key_not_found: { readonly keyId: string };
  /** The role is built in: `admin` cannot be changed, neither `admin` nor `user` can be deleted. */
  role_built_in: { readonly role: string };
  /** The change would leave nobody who can administer the system. Make another administrator first. */
  last_administrator: Readonly<Record<never, never>>;
  /**
   * The refresh token buys nothing: sign in again. Of `outcome` a client may learn what became of a session whose genuine
   * token it holds; what else it says is for the log.
   */
  refresh_token_invalid: { readonly outcome: RefreshOutcome };
  /** The client asked for more than the session or the user's roles allow, or for something that is no scope. */
  scope_invalid: Readonly<Record<never, never>>;
  /** The feed credential is unknown or revoked. */
  feed_credential_invalid: Readonly<Record<never, never>>;
  /** Another feed credential has this name. */
  feed_credential_taken: Readonly<Record<never, never>>;
  /** No feed credential has this name. */
  feed_credential_not_found: Readonly<Record<never, never>>;
  /** As many guards follow the feed as one process serves. Ask another one, or again after `retryAfter` seconds. */
  feed_full: { readonly retryAfter: number };
  /** Too many passwords are being checked at once. Try again after `retryAfter` seconds. */
  busy: { readonly retryAfter: number };
  /** The database cannot be reached. Try again after `retryAfter` seconds. */
  store_unavailable: { readonly retryAfter: number };
}

/** Every code an {@link AuthError} can carry. Codes are stable; messages are for logs. */
export type AuthErrorCode = keyof AuthErrorDetails;

/**
 * Thrown when the engine refuses a call. Branch on `code`.
 *
 * @example
 * try {
 *   await auth.signIn({ username, password });
 * } catch (error) {
 *   if (isAuthError(error) && error.code === 'busy') console.log(`retry in ${error.details.retryAfter} s`);
 * }
 */
export class AuthError<Code extends AuthErrorCode = AuthErrorCode> extends Error {
  override readonly name = 'AuthError';
  readonly code: Code;
  readonly details: AuthErrorDetails[Code];

  constructor(code: Code, message: string, details: AuthErrorDetails[Code], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** {@link AuthError} as a union over its codes, so that `switch (error.code)` narrows `error.details`. */
export type AnyAuthError = { [Code in AuthErrorCode]: AuthError<Code> }[AuthErrorCode];

/** Tells whether a caught value is an {@link AuthError}. */
export function isAuthError(error: unknown): error is AnyAuthError {
  return error instanceof AuthError;
}
