/**
 * Why a request was refused. Stable: branch on it.
 *
 * - `not_authenticated`: no bearer token was sent. Sign in.
 * - `invalid_request`: the credentials are malformed or sent more than once. Fix the client.
 * - `token_expired`: refresh, then repeat the request.
 * - `token_revoked`: the session, user, client or token was revoked. Sign in again.
 * - `token_invalid`: anything else about the token; the reason is kept from the caller on purpose.
 * - `insufficient_scope`, `insufficient_role`: the token is good but does not reach this far.
 * - `temporarily_unavailable`: keys or changes cannot be read. Keep the token and repeat after `Retry-After`.
 */
export type RefusalCode =
  | 'not_authenticated'
  | 'invalid_request'
  | 'token_expired'
  | 'token_revoked'
  | 'token_invalid'
  | 'insufficient_scope'
  | 'insufficient_role'
  | 'temporarily_unavailable';

/**
 * The body of a refusal.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9457.html#section-3.1 RFC 9457, section 3.1}
 */
export interface ProblemDetails {
  /** Always `about:blank`: `code` names the problem. */
  readonly type: string;
  /** The status in words. */
  readonly title: string;
  readonly status: number;
  /** One fixed sentence per code; never holds anything the caller sent. */
  readonly detail: string;
  readonly code: RefusalCode;
}

/** An answer that refuses a request, ready for any framework to send. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 503;
  /** Lower-case names: `content-type`, `cache-control`, and `www-authenticate` or, for 503, `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ProblemDetails;
}

interface Answer {
  readonly status: Refusal['status'];
  /** The error code of the challenge; a request without credentials gets none. */
  readonly error: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | undefined;
  readonly detail: string;
}

/** How each code answers. */
const answers: Readonly<Record<RefusalCode, Answer>> = {
  not_authenticated: { status: 401, error: undefined, detail: 'Not authenticated' },
  invalid_request: {
    status: 400,
    error: 'invalid_request',
    detail: 'Send the access token once, in one Authorization header: Bearer <token>',
  },
  token_expired: { status: 401, error: 'invalid_token', detail: 'Token has expired' },
  token_revoked: { status: 401, error: 'invalid_token', detail: 'Token has been revoked' },
  token_invalid: { status: 401, error: 'invalid_token', detail: 'Could not validate credentials' },
  insufficient_scope: {
    status: 403,
    error: 'insufficient_scope',
    detail: 'The access token does not carry the scope this route requires',
  },
  insufficient_role: {
    status: 403,
    error: 'insufficient_scope',
    detail: 'The access token does not carry a role this route requires',
  },
  temporarily_unavailable: {
    status: 503,
    error: undefined,
    detail: 'Access cannot be checked right now, try again shortly',
  },
};

const titles = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 503: 'Service Unavailable' } as const;

const retryAfterSeconds = 5;

/** Builds the answer for one code. `scope` is what the route requires; only `insufficient_scope` shows it. */
export function createRefusal(code: RefusalCode, realm: string, scope: readonly string[] = []): Refusal {
  const { status, error, detail } = answers[code];
  const answer =
    status === 503
      ? { 'retry-after': String(retryAfterSeconds) }
      : {
          'www-authenticate': createChallenge({
            realm,
            error,
            error_description: error && detail,
            scope: code === 'insufficient_scope' ? scope.join(' ') : undefined,
          }),
        };
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...answer },
    body: { type: 'about:blank', title: titles[status], status, detail, code },
  };
}

/**
 * Builds a `WWW-Authenticate` value from the attributes that are given.
 *
 * Every value comes from configuration or from the table above, already checked for the characters RFC 6750 allows:
 * nothing of the request can reach this header.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750.html#section-3 RFC 6750, section 3}
 */
function createChallenge(attributes: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return `Bearer ${given.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}
