import { decodeJwtUnverified, isJwtError } from '@sallyport/jwt';
import { cookieNameOf } from './cookies.ts';
import { nodeRequest, type NodeRequest } from './guarded-request.ts';
import type { SessionCookies, SessionTokens } from './session-cookies.ts';

/** What renews the cookies of a session. */
export interface CookieRenewalOptions {
  readonly cookies: SessionCookies;
  /**
   * Trades a refresh token for new tokens: `auth.refresh` of `@sallyport/auth`. An error with the `code`
   * `refresh_token_invalid` says that the session is over; any other, that it cannot be told right now.
   */
  readonly refresh: (input: { readonly refreshToken: string }) => Promise<SessionTokens>;
  /** The clock. Default: the system's. */
  readonly now?: () => Date;
}

/** A request of `node:http` whose cookies can be renewed on its way to its handler. */
export interface RenewableRequest extends NodeRequest {
  readonly rawHeaders: string[];
  readonly headers: { cookie?: string | undefined };
}

/** Renews the cookies of a request if it is time; gives the `Set-Cookie` lines for the response. */
export type CookieRenewal = (request: RenewableRequest) => Promise<readonly string[]>;

/** How urgently an access token wants a successor. */
type Urgency = 'fresh' | 'soon' | 'now';

/**
 * Makes a middleware that refreshes a browser's session by itself, for applications whose pages are made on the server.
 *
 * A token in the last third of its life is replaced for the requests to come. One that has expired is replaced for this
 * request too: its `Cookie` header is rewritten, so put it before your guards. The refresh token is traded like any
 * other, so a session that has ended stays ended, whatever answers still arrive. Writes that another site may have
 * caused renew nothing. Pages that load in parallel present one refresh token several times: keep to the `resilient`
 * policy.
 *
 * @example
 * import { createAuth } from '@sallyport/auth';
 * import { sqlite } from '@sallyport/auth/sqlite';
 * import { createCookieRenewal, createSessionCookies } from '@sallyport/guard';
 * import express from 'express';
 *
 * const issuer = 'https://app.example.com';
 * const auth = await createAuth({ issuer, store: sqlite('sessions.db'), secretKey: process.env['SECRET_KEY'] ?? '' });
 * const renew = createCookieRenewal({ cookies: createSessionCookies({ origin: issuer }), refresh: auth.refresh });
 *
 * const app = express();
 * app.use(async (request, response, next) => {
 *   response.append('Set-Cookie', [...(await renew(request))]);
 *   next();
 * });
 */
export function createCookieRenewal({ cookies, refresh, now = systemClock }: CookieRenewalOptions): CookieRenewal {
  return async (request) => {
    const { accessToken, refreshToken, mayBeForged } = cookies.read(nodeRequest(request));
    const urgency = urgencyOf(accessToken, now());
    if (refreshToken === undefined || mayBeForged || urgency === 'fresh') return [];
    try {
      const lines = cookies.set(await refresh({ refreshToken }));
      if (urgency === 'now') rewriteCookies(request, lines);
      return lines;
    } catch (error) {
      if (isSessionOver(error)) return cookies.clear();
      // The token is still good: whether the request may go on is for the guard to say.
      if (urgency === 'soon') return [];
      throw error;
    }
  };
}

const systemClock = (): Date => new Date();

/** Goes by what the token says of itself: whoever lies about it refreshes too early, or not at all. */
function urgencyOf(accessToken: string | undefined, now: Date): Urgency {
  const { exp, iat } = accessToken === undefined ? {} : readLife(accessToken);
  const moment = now.getTime() / 1000;
  if (exp === undefined || exp <= moment) return 'now';
  return iat !== undefined && exp - moment < (exp - iat) / 3 ? 'soon' : 'fresh';
}

function readLife(token: string): { readonly exp?: number; readonly iat?: number } {
  try {
    const { exp, iat } = decodeJwtUnverified(token).claims;
    return { ...(typeof exp === 'number' && { exp }), ...(typeof iat === 'number' && { iat }) };
  } catch (error) {
    if (isJwtError(error)) return {};
    throw error;
  }
}

function isSessionOver(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'refresh_token_invalid';
}

/**
 * Makes the request look as if the browser had sent the new cookies, to guards and to everybody else who reads them. In
 * place: Node makes `headers` of as many raw headers as there were when the request arrived.
 */
function rewriteCookies(request: RenewableRequest, lines: readonly string[]): void {
  const { rawHeaders } = request;
  const values = [...rawHeaders.keys()].filter((at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'cookie');
  const renewed = lines.map((line) => line.slice(0, line.indexOf(';')));
  const replaced = new Set(renewed.map(cookieNameOf));
  const kept = values
    .flatMap((at) => (rawHeaders[at] ?? '').split('; '))
    .filter((pair) => !replaced.has(cookieNameOf(pair)));
  const whole = [...kept, ...renewed].join('; ');
  for (const [order, at] of values.entries()) rawHeaders[at] = order === 0 ? whole : '';
  request.headers.cookie = whole;
}
