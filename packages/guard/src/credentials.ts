/** What a guard needs to know of a request: nothing framework-shaped. */
export interface GuardedRequest {
  /** Every `Authorization` header line received, in order. None: an empty list. See {@link authorizationLines}. */
  readonly authorization: readonly string[];
  /**
   * The request target (`/todos?page=2`), so that a token sent twice, in the header and in the query, is refused.
   * A token in the query alone is never read. Default: not looked at.
   */
  readonly target?: string;
}

/** The credentials found in a request, before anything about them is believed. */
export type Credentials =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'bearer'; readonly token: string };

const bearerScheme = /^bearer(?=\s|$)/i;
const beforeToken = 'Bearer '.length;
// The verifier refuses longer tokens unread, so nobody need look for white space further on.
const longestToken = 8192;

/**
 * Reads the bearer token of a request; any other scheme counts as no credentials.
 *
 * Does not judge the token's own characters: those are for the verifier, which refuses them as an invalid token.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750.html#section-2.1 RFC 6750, section 2.1}
 */
export function readCredentials(request: GuardedRequest): Credentials {
  const [line, ...others] = request.authorization;
  // A proxy and this process could each believe another one of two headers, so neither is believed.
  if (others.length > 0) return { kind: 'malformed' };
  if (line === undefined || !bearerScheme.test(line)) return { kind: 'absent' };
  const token = line.slice(beforeToken);
  const isWellFormed = line[beforeToken - 1] === ' ' && token !== '' && !/\s/.test(token.slice(0, longestToken));
  if (!isWellFormed || hasTokenInQuery(request.target)) return { kind: 'malformed' };
  return { kind: 'bearer', token };
}

function hasTokenInQuery(target: string | undefined): boolean {
  const start = target?.indexOf('?') ?? -1;
  return target !== undefined && start >= 0 && new URLSearchParams(target.slice(start + 1)).has('access_token');
}

/**
 * Collects every `Authorization` line of a Node request, so that a second one is seen and refused.
 *
 * Node's `request.headers.authorization` hides all but the first. For adapters of frameworks built on `node:http`.
 *
 * @example
 * import type { IncomingMessage } from 'node:http';
 * import { type Guard, type Verdict, authorizationLines } from '@sallyport/guard';
 *
 * const check = async (guard: Guard, request: IncomingMessage): Promise<Verdict> =>
 *   guard.check({ authorization: authorizationLines(request) });
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110.html#section-11.6.2 RFC 9110, section 11.6.2}
 */
export function authorizationLines(request: { readonly rawHeaders: readonly string[] }): readonly string[] {
  return request.rawHeaders.filter(
    (_, index, raw) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === 'authorization',
  );
}
