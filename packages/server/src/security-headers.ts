/** What every response carries unless the operation said something else. */
const defaults = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const ONE_YEAR_SECONDS = 31_536_000;

/**
 * Sets the headers that keep browsers from caching, framing or reinterpreting a response.
 *
 * `Strict-Transport-Security` is sent when the issuer is https: over http a browser ignores it, and on a developer's
 * machine it would lock other servers of that name out.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6797.html#section-7.2 RFC 6797, section 7.2}
 */
export function setSecurityHeaders(headers: Headers, issuer: string): void {
  for (const [name, value] of Object.entries(defaults)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  if (issuer.startsWith('https:')) headers.set('strict-transport-security', `max-age=${ONE_YEAR_SECONDS}`);
}
