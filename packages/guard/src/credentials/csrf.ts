import { createHash, timingSafeEqual } from 'node:crypto';
import { type GuardedRequest, headerValue } from './guarded-request.ts';

/** What a request tells of the page that caused it. */
export interface Provenance {
  /** `Sec-Fetch-Site`, which browsers set and pages cannot. */
  readonly site: string | undefined;
  /** `Origin`, likewise. */
  readonly origin: string | undefined;
  /** Whether the request brought what only a page of ours can send, such as the token of {@link csrfTokenFor}. */
  readonly hasProof: boolean;
}

/** Reads where a request comes from. `hasProof` is asked where the browser says nothing. */
export function provenanceOf(request: GuardedRequest, hasProof: boolean): Provenance {
  return { site: headerValue(request, 'sec-fetch-site'), origin: headerValue(request, 'origin'), hasProof };
}

// RFC 9110, section 9.2.1.
const safeMethods: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Tells whether a request may change something. A method nobody stated may. */
export function isWrite({ method }: GuardedRequest): boolean {
  return !safeMethods.has(method);
}

/**
 * Decides whether a page of ours caused a request: by `Sec-Fetch-Site`, else by `Origin`, else by the proof.
 *
 * The first of them that is there decides; a good proof does not make up for a browser that says "another site".
 *
 * @see {@link https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header Fetch Metadata, section 2.3}
 */
export function isFromOwnPage({ site, origin, hasProof }: Provenance, trustedOrigins: readonly string[] = []): boolean {
  if (origin !== undefined && trustedOrigins.includes(origin)) return true;
  if (site !== undefined) return site === 'same-origin';
  // Without a list, an old browser's Origin could be the API's own: then the proof must tell.
  if (origin === 'null' || (origin !== undefined && trustedOrigins.length > 0)) return false;
  return hasProof;
}

const lengthOfCsrfToken = 32;

/**
 * The token by which a page proves, for a cookie it cannot read, that it may: put it into a second cookie that scripts
 * can read when you set the first, and let the page send it back in `X-CSRF-Token` with each write.
 * `createSessionCookies` does so.
 *
 * It is made from the access token, so it can be neither guessed nor planted by somebody who does not know that, and
 * a guard needs no secret to check it. Does **not** replace `SameSite` and `__Host-` on the cookie itself.
 *
 * @example
 * import { csrfTokenFor } from '@sallyport/guard';
 *
 * const csrfCookie = (accessToken: string): string =>
 *   `__Host-csrf_token=${csrfTokenFor(accessToken)}; Path=/; Secure; SameSite=Lax`;
 */
export function csrfTokenFor(accessToken: string): string {
  const digest = createHash('sha256').update('sallyport csrf token\0').update(accessToken).digest('base64url');
  return digest.slice(0, lengthOfCsrfToken);
}

/** Compares without telling by its time how much is right. */
export function isCsrfTokenFor(presented: unknown, accessToken: string): boolean {
  if (typeof presented !== 'string' || presented.length !== lengthOfCsrfToken) return false;
  const [one, other] = [Buffer.from(presented), Buffer.from(csrfTokenFor(accessToken))];
  return one.length === other.length && timingSafeEqual(one, other);
}
