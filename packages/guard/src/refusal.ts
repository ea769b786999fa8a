/**
 * Why a request was refused. Stable: branch on it.
 *
 * - `not_authenticated`: no bearer token was sent. Sign in.
 * - `invalid_request`: the credentials are malformed or sent more than once. Fix the client.
 * - `token_expired`: refresh, then repeat the request.
 * - `token_revoked`: the session, user, client or token was revoked. Sign in again.
 * - `token_invalid`: anything else about the token; the reason is kept from the caller on purpose.
 * - `insufficient_scope`, `insufficient_role`: the token is good but does not reach this far.
 * - `token_kind_refused`: the token is good but a user's where a client is asked for, or the other way round.
 * - `policy_refused`: the token is good; a rule of the application says no.
 * - `reauthentication_required`: the user signed in too long ago. Let them sign in again, then repeat the request.
 * - `csrf_proof_missing`: a cookie alone asked for a change. Send the CSRF token, or write from a page of the same origin.
 * - `preflight_unanswered`: no refusal but an empty answer; CORS preflights must be answered before they reach a guard.
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
  | 'token_kind_refused'
  | 'policy_refused'
  | 'reauthentication_required'
  | 'csrf_proof_missing'
  | 'preflight_unanswered'
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
  /** With `reauthentication_required`: how old a sign-in may be here, in seconds. */
  readonly max_age?: number;
}

/** An answer that refuses a request, ready for any framework to send. */
export interface Refusal {
  readonly status: 200 | 400 | 401 | 403 | 503;
  /** Lower-case names: `content-type`, `cache-control`, and where they apply `www-authenticate` or `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ProblemDetails;
}

/** The error codes of challenges: RFC 6750, section 3.1, and RFC 9470, section 3. */
type ChallengeError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication';

interface Answer {
  readonly status: Refusal['status'];
  readonly detail: string;
  /** The error code of the challenge. `undefined`: a challenge without one; absent: no challenge, a token will not help. */
  readonly error?: ChallengeError | undefined;
}

/** How each code answers. */
const answers: Readonly<Record<RefusalCode, Answer>> = {
  not_authenticated: { status: 401, error: undefined, detail: 'Not authenticated' },
  invalid_request: {
    status: 400,
    error: 'invalid_request',
    detail: 'Send one access token, once and well formed, as in Authorization: Bearer <token>',
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
  token_kind_refused: {
    status: 403,
    error: 'insufficient_scope',
    detail: 'The access token belongs to somebody this route is not for',
  },
  policy_refused: { status: 403, error: 'insufficient_scope', detail: 'The rules of this route refuse this request' },
  reauthentication_required: {
    status: 401,
    error: 'insufficient_user_authentication',
    detail: 'Sign in again, the last time was too long ago for this route',
  },
  csrf_proof_missing: {
    status: 403,
    detail: 'A cookie alone may not change anything: send the CSRF token, or ask from a page of the same origin',
  },
  preflight_unanswered: { status: 200, detail: 'Nothing stands before this route that answers CORS preflights' },
  temporarily_unavailable: { status: 503, detail: 'Access cannot be checked right now, try again shortly' },
};

const titles = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
} as const;

const retryAfterSeconds = 5;

/** What a challenge says of the guard and of what would do. */
export interface ChallengeContent {
  readonly realm: string;
  /** Default: `Bearer`. */
  readonly scheme?: string;
  readonly scope?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

/** Builds the answer for one code. */
export function createRefusal(code: RefusalCode, content: ChallengeContent): Refusal {
  const answer = answers[code];
  const { status, detail } = answer;
  const maxAge = content.maxAge === undefined ? {} : { max_age: content.maxAge };
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...('error' in answer ? { 'www-authenticate': createChallenge(answer, content) } : {}),
      ...(status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}),
    },
    body: { type: 'about:blank', title: titles[status], status, detail, code, ...maxAge },
  };
}

/**
 * Builds a `WWW-Authenticate` value from what there is to say.
 *
 * Every value comes from configuration or from the table above, already checked for the characters RFC 6750 allows:
 * nothing of the request can reach this header.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750.html#section-3 RFC 6750, section 3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470.html#section-3 RFC 9470, section 3}
 */
function createChallenge(
  { error, detail }: Answer,
  { realm, scheme = 'Bearer', scope, maxAge }: ChallengeContent,
): string {
  const attributes = {
    realm,
    error,
    error_description: error && detail,
    scope: scope?.join(' '),
    max_age: maxAge,
  };
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return `${scheme} ${given.map(([name, value]) => `${name}="${String(value)}"`).join(', ')}`;
}
