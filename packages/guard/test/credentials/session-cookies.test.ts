import { describe, expect, it } from 'vitest';
import {
  createSessionCookies,
  csrfTokenFor,
  type GuardedRequest,
  type SessionCookieOptions,
  type SessionTokens,
} from '@sallyport/guard';

const origin = 'https://app.example.test';
const trustedOrigins = ['https://www.example.test'];
const cookies = createSessionCookies({ origin, trustedOrigins });
const accessToken = 'header.payload.signature';
const refreshToken = 'AXm2-refresh_token';
const tokens: SessionTokens = { accessToken, expiresIn: 900, refreshToken, refreshExpiresIn: 86_400 };

type Headers = Readonly<Record<string, string>>;

const aRequest = (headers: Headers, method = 'POST'): GuardedRequest => ({
  authorization: [],
  method,
  header: (name) => [headers[name] ?? []].flat(),
});
const jar = {
  access: `__Host-access_token=${accessToken}`,
  refresh: `__Host-refresh_token=${refreshToken}`,
  csrf: `__Host-csrf_token=${csrfTokenFor(accessToken)}`,
};
const everything = Object.values(jar).join('; ');

describe('S11 the cookies of a session', () => {
  it('are bound to the host, hidden from scripts and live as long as what they hold', () => {
    const promises = 'Path=/; SameSite=Lax; Secure';
    expect(cookies.set(tokens)).toEqual([
      `__Host-access_token=${accessToken}; Max-Age=900; ${promises}; HttpOnly`,
      `__Host-refresh_token=${refreshToken}; Max-Age=86400; ${promises}; HttpOnly`,
      `__Host-csrf_token=${csrfTokenFor(accessToken)}; Max-Age=86400; ${promises}`,
    ]);
  });

  it('are taken away with the same attributes, without which a browser keeps them', () => {
    expect(cookies.clear()).toEqual([
      '__Host-access_token=; Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly',
      '__Host-refresh_token=; Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly',
      '__Host-csrf_token=; Max-Age=0; Path=/; SameSite=Lax; Secure',
    ]);
  });

  it('do without Secure and the prefix on a loopback address, where browsers refuse them', () => {
    const local = createSessionCookies({ origin: 'http://127.0.0.1:8000' });
    expect(local.set(tokens)[0]).toBe(`access_token=${accessToken}; Max-Age=900; Path=/; SameSite=Lax; HttpOnly`);
    expect(local.source).toMatchObject({ in: 'cookie', name: 'access_token' });
  });

  it('leave no refresh token of before when a session has none', () => {
    const [access, refresh, csrf] = cookies.set({ accessToken, expiresIn: 900 });
    expect(access).toContain('Max-Age=900');
    expect(refresh).toContain('__Host-refresh_token=; Max-Age=0');
    expect(csrf).toContain('Max-Age=900');
  });

  it.each(['a;b', 'a b', 'a\r\nSet-Cookie: x=y', '', 'a,b', 'a"b', 'ä'])(
    'are never made of %j, which would end the value and begin something else',
    (token) => {
      expect(() => cookies.set({ ...tokens, accessToken: token })).toThrow(TypeError);
      expect(() => cookies.set({ ...tokens, refreshToken: token })).toThrow(TypeError);
    },
  );
});

describe('S11 reading the cookies of a session', () => {
  it('finds both tokens', () => {
    expect(cookies.read(aRequest({ cookie: everything }))).toMatchObject({ accessToken, refreshToken });
  });

  it.each([
    ['no cookies', ''],
    ['other names', 'access_token=a; __Secure-access_token=b; __host-access_token=c'],
    ['empty values', '__Host-access_token=; __Host-refresh_token='],
    ['two values each', `${everything}; __Host-access_token=planted; __Host-refresh_token=planted`],
  ])('finds nothing in %s', (_, cookie) => {
    expect(cookies.read(aRequest({ cookie }))).toMatchObject({ accessToken: undefined, refreshToken: undefined });
  });
});

describe('S12 a request that brings a session', () => {
  const mayBeForged = (headers: Headers, method?: string): boolean =>
    cookies.read(aRequest({ cookie: everything, ...headers }, method)).mayBeForged;

  it('is believed from the own origin, and from those that are trusted', () => {
    expect(mayBeForged({ 'sec-fetch-site': 'same-origin' })).toBe(false);
    expect(mayBeForged({ origin })).toBe(false);
    expect(mayBeForged({ origin: 'https://www.example.test', 'sec-fetch-site': 'same-site' })).toBe(false);
  });

  it.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'https://evil.example.test' },
    { 'sec-fetch-site': 'none' },
    { origin: 'null' },
    { origin: 'https://evil.test' },
    { origin: 'https://app.example.test.evil.test' },
    { 'content-type': 'application/json' },
    {},
  ])('is not believed with %o', (headers) => {
    expect(mayBeForged(headers)).toBe(true);
  });

  it('may read from anywhere: a browser says so of every link', () => {
    for (const method of ['GET', 'HEAD']) expect(mayBeForged({ 'sec-fetch-site': 'cross-site' }, method)).toBe(false);
  });

  it('is believed by the CSRF token of its access token where the browser says nothing', () => {
    expect(mayBeForged({ 'x-csrf-token': csrfTokenFor(accessToken) })).toBe(false);
    expect(mayBeForged({ 'x-csrf-token': csrfTokenFor('another') })).toBe(true);
  });

  it('goes by the CSRF token the browser kept when the access token has gone', () => {
    const csrfToken = csrfTokenFor(accessToken);
    const late = (headers: Headers): boolean =>
      cookies.read(aRequest({ cookie: `${jar.refresh}; ${jar.csrf}`, ...headers })).mayBeForged;
    expect(late({ 'x-csrf-token': csrfToken })).toBe(false);
    expect(late({ 'x-csrf-token': csrfTokenFor('another') })).toBe(true);
    expect(late({ 'x-csrf-token': '' })).toBe(true);
    expect(late({})).toBe(true);
    expect(cookies.read(aRequest({ cookie: jar.refresh, 'x-csrf-token': csrfToken })).mayBeForged).toBe(true);
    expect(cookies.read(aRequest({ cookie: jar.refresh, 'x-csrf-token': '' })).mayBeForged).toBe(true);
  });

  it('does not go by a CSRF cookie while the access token is there: somebody may have planted it', () => {
    const planted = csrfTokenFor('another');
    const headers = { cookie: `${jar.access}; __Host-csrf_token=${planted}`, 'x-csrf-token': planted };
    expect(cookies.read(aRequest(headers)).mayBeForged).toBe(true);
  });
});

describe('S13 a sign-in', () => {
  const mayBeForged = (headers: Headers): boolean => cookies.signInMayBeForged(aRequest(headers));
  const json = { 'content-type': 'application/json' };

  it('is believed from pages of ours, whatever its body', () => {
    expect(mayBeForged({ 'sec-fetch-site': 'same-origin' })).toBe(false);
    expect(mayBeForged({ origin })).toBe(false);
    expect(mayBeForged({ origin: 'https://www.example.test', 'sec-fetch-site': 'same-site' })).toBe(false);
  });

  it.each([{ 'sec-fetch-site': 'cross-site' }, { origin: 'null' }, { origin: 'https://evil.test' }])(
    'is not believed with %o, not even as JSON',
    (headers) => {
      expect(mayBeForged({ ...headers, ...json })).toBe(true);
    },
  );

  it.each(['application/json', 'Application/JSON; charset=utf-8', 'application/json ;charset=utf-8'])(
    'is believed as %j where the browser says nothing',
    (contentType) => {
      expect(mayBeForged({ 'content-type': contentType })).toBe(false);
    },
  );

  it.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'text/plain; application/json',
    'application/jsonp',
    'application/json, text/plain',
    '',
  ])('is not believed as %j, which a form could be', (contentType) => {
    expect(mayBeForged({ 'content-type': contentType })).toBe(true);
  });

  it('takes no CSRF token instead: whoever has none yet could be given somebody else’s', () => {
    const headers = { cookie: everything, 'x-csrf-token': csrfTokenFor(accessToken) };
    expect(mayBeForged(headers)).toBe(true);
  });
});

describe('the options of session cookies', () => {
  it.each([
    [{ origin: 'http://app.example.test' }, /origin/],
    [{ origin: 'https://app.example.test/' }, /origin/],
    [{ origin: 'app.example.test' }, /origin/],
    [{ origin: 'null' }, /origin/],
    [{}, /origin/],
    [{ origin, trustedOrigins: ['*'] }, /trustedOrigins/],
    [{ origin, trustedOrigins: 'https://www.example.test' }, /trustedOrigins/],
    [{ origin, domain: 'example.test' }, /unknown option "domain"/],
  ])('refuse %o', (options, message) => {
    expect(() => createSessionCookies(options as SessionCookieOptions)).toThrow(message);
  });

  it('are told all at once what is wrong with them', () => {
    const wrong = { origin: 1, trustedOrigins: 1, path: '/' } as unknown as SessionCookieOptions;
    expect(() => createSessionCookies(wrong)).toThrow(/path.*origin must.*trustedOrigins must/);
  });
});
