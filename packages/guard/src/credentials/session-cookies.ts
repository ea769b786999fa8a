import { isTrustworthy, isWebOrigin } from '../web-origin.ts';
import { cookieValues } from './cookies.ts';
import type { CookieSource } from './credential-source.ts';
import { csrfTokenFor, isCsrfTokenFor, isFromOwnPage, isWrite, provenanceOf } from './csrf.ts';
import { type GuardedRequest, headerLines, headerValue } from './guarded-request.ts';

/** Whose pages a browser's session is for. */
export interface SessionCookieOptions {
  /**
   * The origin these cookies belong to, such as `https://app.example.com`. http only on a loopback address, for
   * development: there the cookies do without `Secure` and without `__Host-` in their names.
   */
  readonly origin: string;
  /** Other origins whose pages may write, such as `https://www.example.com`: like your own. Default: none. */
  readonly trustedOrigins?: readonly string[];
}

/** The tokens of a session, as a sign-in or a refresh of `@sallyport/auth` gives them. Lives are in seconds. */
export type SessionTokens = AccessTokenPart & (RefreshTokenPart | NoRefreshToken);

interface AccessTokenPart {
  readonly accessToken: string;
  readonly expiresIn: number;
}

interface RefreshTokenPart {
  readonly refreshToken: string;
  readonly refreshExpiresIn: number;
}

interface NoRefreshToken {
  readonly refreshToken?: undefined;
  readonly refreshExpiresIn?: undefined;
}

/** What a request says of the session of its browser. Nothing of it is verified. */
export interface PresentedSession {
  /** `undefined` when there is none, or more than one: then none of them is believed. */
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** Whether the request may change something and another site may have made a browser send it: then refuse it. */
  readonly mayBeForged: boolean;
}

/** Writes and reads the cookies that carry a session between your server and a browser. */
export interface SessionCookies {
  /** The `Set-Cookie` lines that begin or continue a session. A token that is not given is taken away. */
  set(tokens: SessionTokens): readonly string[];
  /** The `Set-Cookie` lines that take everything away. */
  clear(): readonly string[];
  /** What a request brings: for your routes that refresh and sign out. */
  read(request: GuardedRequest): PresentedSession;
  /**
   * Whether another site may have made a browser send this sign-in, to sign somebody in as somebody else: then refuse
   * it. There is no CSRF token yet; where the browser says nothing a JSON body has to do, which no form can send.
   */
  signInMayBeForged(request: GuardedRequest): boolean;
  /** Where a guard finds the access token: give it to `createGuard` among its `credentials`. */
  readonly source: CookieSource;
}

const names = { access: 'access_token', refresh: 'refresh_token', csrf: 'csrf_token' } as const;

// RFC 6265, section 4.1.1, less what no token has in it.
const cookieText = /^[\w.~+/=-]+$/;

/**
 * Makes the cookies of one origin's sessions: `__Host-access_token` and `__Host-refresh_token`, which no script can
 * read, and `__Host-csrf_token`, which scripts can. Each lives as long as what it holds, the last as long as the session.
 *
 * They go to the whole host, because `__Host-` asks for it: other applications under the same name see them too. Does
 * **not** verify tokens: the guard does, and whoever refreshes them.
 *
 * @example
 * import { createSessionCookies, nodeRequest } from '@sallyport/guard';
 * import type { IncomingMessage, ServerResponse } from 'node:http';
 *
 * const cookies = createSessionCookies({ origin: 'https://app.example.com' });
 * const signOut = (request: IncomingMessage, response: ServerResponse): void => {
 *   const { mayBeForged } = cookies.read(nodeRequest(request));
 *   response.writeHead(mayBeForged ? 403 : 204, mayBeForged ? {} : { 'Set-Cookie': [...cookies.clear()] }).end();
 * };
 *
 * @throws {TypeError} naming everything that is wrong with the options at once.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6265.html#section-4.1 RFC 6265, section 4.1}
 */
export function createSessionCookies(options: SessionCookieOptions): SessionCookies {
  const { origin, trustedOrigins } = checked(options);
  const isSecure = origin.startsWith('https:');
  const named = (name: string): string => (isSecure ? `__Host-${name}` : name);
  const allOrigins = [origin, ...trustedOrigins];

  const write = (name: string, value: string, seconds: number): string =>
    [
      `${named(name)}=${value}`,
      `Max-Age=${String(seconds)}`,
      'Path=/',
      'SameSite=Lax',
      ...(isSecure ? ['Secure'] : []),
      ...(name === names.csrf ? [] : ['HttpOnly']),
    ].join('; ');
  const take = (name: string): string => write(name, '', 0);

  const find = (request: GuardedRequest, name: string): string | undefined => {
    const [value, ...others] = cookieValues(headerLines(request, 'cookie'), named(name));
    return others.length > 0 || value === '' ? undefined : value;
  };
  /** While the access token is there its own CSRF token counts, afterwards the one the browser kept of it. */
  const hasCsrfToken = (request: GuardedRequest, accessToken: string | undefined): boolean => {
    const presented = headerValue(request, csrfHeader.toLowerCase());
    if (accessToken !== undefined) return isCsrfTokenFor(presented, accessToken);
    return presented !== undefined && presented === find(request, names.csrf);
  };

  return Object.freeze({
    set: ({ accessToken, expiresIn, refreshToken, refreshExpiresIn }: SessionTokens) => [
      write(names.access, asCookieText(accessToken), expiresIn),
      refreshToken === undefined
        ? take(names.refresh)
        : write(names.refresh, asCookieText(refreshToken), refreshExpiresIn),
      write(names.csrf, csrfTokenFor(accessToken), refreshExpiresIn ?? expiresIn),
    ],
    clear: () => Object.values(names).map(take),
    read: (request: GuardedRequest) => {
      const accessToken = find(request, names.access);
      const provenance = provenanceOf(request, hasCsrfToken(request, accessToken));
      return {
        accessToken,
        refreshToken: find(request, names.refresh),
        mayBeForged: isWrite(request) && !isFromOwnPage(provenance, allOrigins),
      };
    },
    signInMayBeForged: (request: GuardedRequest) => !isFromOwnPage(provenanceOf(request, isJson(request)), allOrigins),
    source: Object.freeze({ in: 'cookie', name: named(names.access), trustedOrigins: allOrigins, csrfHeader }),
  });
}

const csrfHeader = 'X-CSRF-Token';

function checked({ origin, trustedOrigins = [], ...others }: SessionCookieOptions): Required<SessionCookieOptions> {
  const unknown = Object.keys(others).map((name) => `unknown option "${name}" (known: origin, trustedOrigins)`);
  const problems = [
    ...unknown,
    ...(isWebOrigin(origin) && isTrustworthy(new URL(origin))
      ? []
      : ['origin must be one such as "https://app.example.com", http only on a loopback address']),
    ...(Array.isArray(trustedOrigins) && trustedOrigins.every(isWebOrigin)
      ? []
      : ['trustedOrigins must be a list of origins such as ["https://www.example.com"]']),
  ];
  if (problems.length > 0) throw new TypeError(`createSessionCookies: ${problems.join('; ')}`);
  return { origin, trustedOrigins: [...trustedOrigins] };
}

function asCookieText(token: string): string {
  if (cookieText.test(token)) return token;
  throw new TypeError('A token for a cookie is letters, digits and . _ ~ + / = - only');
}

function isJson(request: GuardedRequest): boolean {
  return /^application\/json\s*(?:;|$)/i.test(headerValue(request, 'content-type') ?? '');
}
