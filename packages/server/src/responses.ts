import { STATUS_CODES } from 'node:http';
import { type AuthErrorDetails, type RefreshOutcome, administratorRole, isAuthError } from '@sallyport/auth';
import { GuardRefusal } from './authentication.ts';
import type { AnswerHeaders } from './exchange.ts';
import { type FieldError, type HttpErrorDetails, isHttpError } from './http-error.ts';

interface ServerErrorDetails {
  /** Anything unexpected: what it was stands in the log, under the request id. */
  readonly internal_error: Readonly<Record<never, never>>;
}

type DetailsIn<Table, Code> = Code extends keyof Table ? Table[Code] : never;

// Both the engine and the HTTP layer refuse values: one code for callers, two shapes of details.
type ErrorDetails = {
  readonly [Code in keyof AuthErrorDetails | keyof HttpErrorDetails | keyof ServerErrorDetails]:
    | DetailsIn<AuthErrorDetails, Code>
    | DetailsIn<HttpErrorDetails, Code>
    | DetailsIn<ServerErrorDetails, Code>;
};

/** Every `code` of an error body; stable. Those of refused access tokens are the guard's. */
export type ErrorCode = keyof ErrorDetails;

/** The error codes of the token endpoints: RFC 6749 section 5.2, and two of section 4.1.2.1 for failures of the server. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'unsupported_grant_type'
  | 'server_error'
  | 'temporarily_unavailable';

interface ErrorRow<Details> {
  readonly status: number;
  /** What people read. Never anything the caller sent but field names. */
  readonly detail: string;
  /** A more telling detail, when the error knows one. */
  readonly explain?: (details: Details) => string | undefined;
  readonly errors?: (details: Details) => readonly FieldError[] | undefined;
  readonly headers?: (details: Details, issuer: string) => Readonly<Record<string, string>>;
  /** How the token endpoints say it. Default: the same status, and the code {@link oauthCodeOf} derives from it. */
  readonly oauth?: {
    readonly status: number;
    readonly error: OAuthErrorCode;
    readonly description?: string;
    readonly challenge?: true;
  };
}

const retryAfter = (details: { readonly retryAfter: number }): Readonly<Record<string, string>> => ({
  'retry-after': String(details.retryAfter),
});

/** What the holder of a genuine refresh token may know of its session; whoever has none learns nothing. */
const refreshRefusals: { readonly [Outcome in RefreshOutcome]?: string } = {
  expired: 'The session has expired, sign in again',
  ended: 'The session has ended, sign in again',
  reused: 'The refresh token was used before, so its session has ended: sign in again',
};

/** What makes up for a browser that does not say where a request comes from. */
const proofs = { csrf_token: 'with the CSRF token in X-CSRF-Token', json: 'as JSON' } as const;

/** How each error leaves this server: one row per code, complete by the compiler. */
export const errorTable: { readonly [Code in ErrorCode]: ErrorRow<ErrorDetails[Code]> } = {
  // The HTTP layer's own
  target_malformed: { status: 400, detail: 'The request target or the Host header cannot be read' },
  query_invalid: {
    status: 400,
    detail: 'Some query parameters are not valid',
    explain: (details) => ('reason' in details ? details.reason : undefined),
    errors: (details) => ('errors' in details ? details.errors : undefined),
  },
  body_malformed: { status: 400, detail: 'The request body cannot be read', explain: ({ reason }) => reason },
  body_too_large: {
    status: 413,
    detail: 'The request body is longer than 64 KiB',
    // The rest of the body is not read, so that nothing can follow it on this connection.
    headers: () => ({ connection: 'close' }),
  },
  media_type_unsupported: {
    status: 415,
    detail: 'This operation does not read that content type',
    explain: ({ accepted }) => `Send the body as ${accepted.join(' or ')}, UTF-8, not compressed`,
  },
  request_invalid: { status: 400, detail: 'The request does not add up', explain: ({ reason }) => reason },
  grant_type_unsupported: {
    status: 400,
    detail: 'This endpoint does not know that grant type',
    explain: ({ supported }) => `The grant type here is ${supported.join(' or ')}`,
    oauth: { status: 400, error: 'unsupported_grant_type' },
  },
  not_found: { status: 404, detail: 'Nothing is here' },
  method_not_allowed: {
    status: 405,
    detail: 'This path does not answer that method',
    explain: ({ allow }) => `This path answers ${allow.join(', ')}`,
    headers: ({ allow }) => ({ allow: allow.join(', ') }),
  },
  insufficient_scope: {
    status: 403,
    detail: 'This would give, take or touch rights that you do not hold yourself',
    headers: (_, issuer) => ({ 'www-authenticate': `Bearer realm="${issuer}", error="insufficient_scope"` }),
  },
  csrf_proof_missing: {
    status: 403,
    detail: 'Another site may have caused this request',
    explain: ({ proof }) =>
      `Another site may have caused this request: send it from a page of this origin, or ${proofs[proof]}`,
  },
  // Values
  value_invalid: {
    status: 422,
    detail: 'Some fields are not valid',
    errors: (details) => ('errors' in details ? details.errors : [{ field: details.field, message: details.reason }]),
    oauth: { status: 400, error: 'invalid_request' },
  },
  password_refused: { status: 422, detail: 'Choose a better password', explain: ({ reason }) => reason },
  scope_invalid: {
    status: 400,
    detail: 'The scope is malformed or asks for more than you may have',
    oauth: { status: 400, error: 'invalid_scope' },
  },
  // Signing in
  credentials_invalid: {
    status: 403,
    detail: 'The current password is incorrect',
    oauth: { status: 401, error: 'invalid_grant', description: 'Incorrect username or password', challenge: true },
  },
  sign_in_refused: {
    status: 401,
    detail: 'Incorrect username or password',
    headers: (_, issuer) => ({ 'www-authenticate': `Bearer realm="${issuer}"` }),
  },
  sign_in_too_old: { status: 403, detail: 'Send current_password, or sign in again' },
  refresh_token_invalid: {
    status: 400,
    detail: 'The refresh token is not valid, sign in again',
    explain: ({ outcome }) => refreshRefusals[outcome],
    oauth: { status: 400, error: 'invalid_grant' },
  },
  registration_closed: { status: 403, detail: 'Registration is closed, ask an administrator for an account' },
  // Things
  user_not_found: { status: 404, detail: 'No user has this id' },
  session_not_found: { status: 404, detail: 'No live session has this id' },
  role_not_found: { status: 404, detail: 'No role has this name' },
  key_not_found: { status: 404, detail: 'No signing key has this id' },
  username_taken: { status: 409, detail: 'Another user has this name' },
  email_taken: { status: 409, detail: 'Another user has this e-mail address' },
  role_built_in: {
    status: 409,
    detail: 'Built-in roles cannot be deleted, nor admin changed',
    explain: ({ role }) =>
      `The role ${role} is built in and cannot be ${role === administratorRole ? 'changed or deleted' : 'deleted'}`,
  },
  passwordless_account: { status: 409, detail: 'An application signs this user in: the account has no password' },
  last_administrator: {
    status: 409,
    detail: 'Nobody could administer the system after this, make another administrator first',
  },
  // The feed
  feed_credential_missing: {
    status: 401,
    detail: 'This is for guards, which show a feed credential: make one with sallyport feed-credentials create',
    headers: (_, issuer) => ({ 'www-authenticate': `Bearer realm="${issuer}"` }),
  },
  feed_credential_invalid: {
    status: 401,
    detail: 'The feed credential is unknown or revoked',
    headers: (_, issuer) => ({ 'www-authenticate': `Bearer realm="${issuer}", error="invalid_token"` }),
  },
  feed_credential_taken: { status: 409, detail: 'Another feed credential has this name' },
  feed_credential_not_found: { status: 404, detail: 'No feed credential has this name' },
  feed_stream_elsewhere: { status: 410, detail: 'The stream of this guard is not here (any more), open a new one' },
  feed_full: {
    status: 503,
    detail: 'As many guards follow the feed here as one process serves, try another one',
    headers: retryAfter,
  },
  // The server's own trouble
  busy: {
    status: 503,
    detail: 'Too many passwords are being checked right now, try again shortly',
    headers: retryAfter,
  },
  store_unavailable: { status: 503, detail: 'The database cannot be reached, try again shortly', headers: retryAfter },
  config_invalid: { status: 500, detail: 'The server is not configured correctly' },
  internal_error: { status: 500, detail: 'Something went wrong on the server' },
};

/** What the error's answer depends on besides the error. */
export interface ErrorContext {
  readonly style: 'oauth' | 'problem';
  readonly issuer: string;
  readonly requestId: string;
  /** What the answer carries besides headers of its own. */
  readonly headers: AnswerHeaders;
}

/**
 * Turns whatever was thrown into the answer for the caller.
 *
 * An error without a row of its own says only that the server failed and under which request id: its message, stack and
 * cause are for the log.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9457.html#section-3 RFC 9457, section 3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2 RFC 6749, section 5.2}
 */
export function createErrorResponse(error: unknown, context: ErrorContext): Response {
  if (error instanceof GuardRefusal) {
    const { status, headers, body } = error.refusal;
    return new Response(JSON.stringify(body), { status, headers: { ...context.headers, ...headers } });
  }
  if (isAuthError(error) || isHttpError(error)) return createRowResponse(error.code, error.details, context);
  return createRowResponse('internal_error', {}, context);
}

/** The body of an error outside the token endpoints. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly FieldError[] | undefined;
  readonly request_id?: string | undefined;
}

/** The body of an error of the token endpoints. */
export interface OAuthError {
  readonly error: string;
  readonly error_description?: string | undefined;
}

function createRowResponse<Code extends ErrorCode>(
  code: Code,
  details: ErrorDetails[Code],
  context: ErrorContext,
): Response {
  const row = errorTable[code];
  const headers = { ...context.headers, ...row.headers?.(details, context.issuer) };
  if (context.style === 'oauth') {
    const challenge = row.oauth?.challenge && { 'www-authenticate': `Bearer realm="${context.issuer}"` };
    return new Response(JSON.stringify(describeOAuthError(code, details)), {
      status: row.oauth?.status ?? row.status,
      headers: { ...headers, ...challenge, pragma: 'no-cache', 'content-type': 'application/json' },
    });
  }
  const requestId = row.status === 500 ? { request_id: context.requestId } : {};
  return new Response(JSON.stringify({ ...describeProblem(code, details), ...requestId }), {
    status: row.status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  });
}

/** The problem body for a code; without details, as the API document shows it. */
export function describeProblem<Code extends ErrorCode>(code: Code, details?: ErrorDetails[Code]): Problem {
  const { status, detail, explain, errors } = errorTable[code];
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: details === undefined ? detail : (explain?.(details) ?? detail),
    code,
    errors: details === undefined ? undefined : errors?.(details),
  };
}

/** The token endpoints' body for a code; without details, as the API document shows it. */
export function describeOAuthError<Code extends ErrorCode>(code: Code, details?: ErrorDetails[Code]): OAuthError {
  const { status, oauth } = errorTable[code];
  const { detail, errors = [] } = describeProblem(code, details);
  const description = [oauth?.description ?? detail, ...errors.map(({ field, message }) => `${field} ${message}`)];
  return { error: oauth?.error ?? oauthCodeOf(status), error_description: toDescriptionText(description.join('; ')) };
}

function oauthCodeOf(status: number): OAuthErrorCode {
  if (status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}

// RFC 6749, section 5.2 allows error_description printable ASCII without the quote and the backslash.
function toDescriptionText(text: string): string {
  return text.replaceAll(/[^\x20\x21\x23-\x5B\x5D-\x7E]/g, '?');
}
