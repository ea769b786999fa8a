const ONE_YEAR_SECONDS = 31_536_000;

/**
 * The headers that keep browsers from caching, framing or reinterpreting a response: on every one, unless its operation
 * says something else.
 *
 * `Strict-Transport-Security` is sent when the issuer is https: over http a browser ignores it, and on a developer's
 * machine it would lock other servers of that name out.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6797.html#section-7.2 RFC 6797, section 7.2}
 */
export function securityHeaders(issuer: string): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...(issuer.startsWith('https:') && { 'strict-transport-security': `max-age=${ONE_YEAR_SECONDS}` }),
  };
}
