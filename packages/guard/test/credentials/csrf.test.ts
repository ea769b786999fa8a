import { describe, expect, it } from 'vitest';
import { type CookieSource, resolveSources } from '../../src/credentials/credential-source.ts';
import { createCredentialsReader } from '../../src/credentials/credentials.ts';
import { csrfTokenFor, isCsrfTokenFor } from '../../src/credentials/csrf.ts';

const accessToken = 'header.payload.signature';

/** Sends the access token in a cookie; answers whether another site may have caused that. */
function mayBeForged(
  headers: Readonly<Record<string, string>>,
  { method = 'POST', body, ...source }: { method?: string; body?: unknown } & Partial<CookieSource> = {},
): unknown {
  const read = createCredentialsReader(resolveSources([{ in: 'cookie', name: 'token', ...source }]), 'refuse');
  const all: Readonly<Record<string, string>> = { cookie: `token=${accessToken}`, ...headers };
  const header = (name: string) => [all[name] ?? []].flat();
  const credentials = read({ authorization: [], ...(method === '' ? {} : { method }), header }, body);
  return credentials.kind === 'token' ? credentials.mayBeForged : credentials.kind;
}

const ownToken = { 'x-csrf-token': csrfTokenFor(accessToken) };
const trustedOrigins = ['https://app.example.test'];

describe('S12 a write by cookie', () => {
  it('is believed from a page of the same origin', () => {
    expect(mayBeForged({ 'sec-fetch-site': 'same-origin' })).toBe(false);
  });

  it.each(['cross-site', 'same-site', 'none', '', 'same-origin, cross-site', 'SAME-ORIGIN', 'same-origin '])(
    'is not believed when the browser says %j, whatever else is sent',
    (site) => {
      expect(mayBeForged({ 'sec-fetch-site': site })).toBe(true);
      expect(mayBeForged({ 'sec-fetch-site': site, ...ownToken })).toBe(true);
      expect(mayBeForged({ 'sec-fetch-site': site, origin: 'https://evil.test' }, { trustedOrigins })).toBe(true);
    },
  );

  it('is believed from an origin that is trusted, whatever its site', () => {
    const origin = 'https://app.example.test';
    expect(mayBeForged({ origin, 'sec-fetch-site': 'same-site' }, { trustedOrigins })).toBe(false);
    expect(mayBeForged({ origin }, { trustedOrigins })).toBe(false);
  });

  it.each(['null', 'https://evil.test', 'https://app.example.test.evil.test', 'http://app.example.test', ''])(
    'is not believed from the origin %j, not even with the token',
    (origin) => {
      expect(mayBeForged({ origin, ...ownToken }, { trustedOrigins })).toBe(true);
    },
  );

  it('goes by the token where an old browser says nothing decisive', () => {
    expect(mayBeForged(ownToken)).toBe(false);
    expect(mayBeForged({ origin: 'https://api.example.test', ...ownToken })).toBe(false);
    expect(mayBeForged({ origin: 'https://api.example.test' })).toBe(true);
    expect(mayBeForged({ origin: 'null', ...ownToken })).toBe(true);
    expect(mayBeForged({})).toBe(true);
  });

  it.each([
    ['of another access token', csrfTokenFor('other')],
    ['cut short', csrfTokenFor(accessToken).slice(1)],
    ['too long', `${csrfTokenFor(accessToken)}A`],
    ['in another case', csrfTokenFor(accessToken).toUpperCase()],
    ['sent twice', `${csrfTokenFor(accessToken)}, ${csrfTokenFor(accessToken)}`],
    ['of wide characters', '\u{10000}'.repeat(16)],
    ['empty', ''],
  ])('is not believed with a token %s', (_, csrfToken) => {
    expect(mayBeForged({ 'x-csrf-token': csrfToken })).toBe(true);
  });

  it('may bring the token in another header, or in a form where the guard is told so', () => {
    const own = csrfTokenFor(accessToken);
    expect(mayBeForged({ 'x-xsrf-token': own }, { csrfHeader: 'X-XSRF-Token' })).toBe(false);
    expect(mayBeForged(ownToken, { csrfHeader: 'X-XSRF-Token' })).toBe(true);
    expect(mayBeForged({}, { csrfField: 'csrf_token', body: { csrf_token: own } })).toBe(false);
    expect(mayBeForged({}, { csrfField: 'csrf_token', body: { csrf_token: [own] } })).toBe(true);
    expect(mayBeForged({}, { body: { csrf_token: own } })).toBe(true);
  });

  it('does not go by the cookie that mirrors the token: it says nothing about the page', () => {
    const csrfToken = csrfTokenFor(accessToken);
    expect(mayBeForged({ cookie: `token=${accessToken}; __Host-csrf_token=${csrfToken}` })).toBe(true);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'get', 'UPGRADE', ''])(
    'is what the method %j may be',
    (method) => {
      expect(mayBeForged({}, { method })).toBe(true);
    },
  );

  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE'])('is not what %s is: it needs no proof', (method) => {
    expect(mayBeForged({ 'sec-fetch-site': 'cross-site' }, { method })).toBe(false);
  });
});

describe('a cookie', () => {
  it('B2 sent twice is not for the guard to choose from', () => {
    expect(mayBeForged({ cookie: 'token=a; token=b' })).toBe('malformed');
    expect(mayBeForged({ cookie: 'token=a; token=a' })).toBe('malformed');
  });

  it('that was emptied is none', () => {
    expect(mayBeForged({ cookie: 'token=' })).toBe('absent');
    expect(mayBeForged({ cookie: 'other=a' })).toBe('absent');
  });
});

describe('csrfTokenFor', () => {
  it('is fit for a cookie and tells nothing of the access token', () => {
    expect(csrfTokenFor(accessToken)).toMatch(/^[\w-]{32}$/);
    expect(csrfTokenFor(accessToken)).not.toBe(csrfTokenFor(`${accessToken} `));
  });

  it('is the only thing that fits', () => {
    expect(isCsrfTokenFor(csrfTokenFor(accessToken), accessToken)).toBe(true);
    for (const presented of [undefined, null, 1, [csrfTokenFor(accessToken)], accessToken]) {
      expect(isCsrfTokenFor(presented, accessToken)).toBe(false);
    }
  });
});
