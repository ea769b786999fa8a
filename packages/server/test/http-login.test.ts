import { csrfTokenFor } from '@sallyport/guard';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CookieJar } from './cookie-jar.ts';
import { type Answer, type Call, goodPassword, issuer, openServer, type TestServer } from './http-server.ts';
import { aBrowser, appOrigin, aSignedInBrowser, credentials, otherSite, ownPage } from './test-browser.ts';

const names = ['access_token', 'refresh_token', 'csrf_token'];

let server: TestServer;
let clock = new Date();

beforeAll(async () => {
  server = await openServer({ clock: () => clock }, { corsOrigins: [appOrigin] });
  await server.auth.users.create(credentials);
});
afterAll(() => server.auth.close());
beforeEach(() => {
  clock = new Date();
});

const sessionsOf = async (username: string): Promise<readonly string[]> => {
  const { id } = await server.auth.users.find(username);
  return (await server.auth.sessions.list(id)).map((session) => session.id);
};

describe('POST /login', () => {
  it.each([
    ['JSON', credentials],
    ['a form', new URLSearchParams(credentials)],
  ])('signs in by %s and tells the page who and for how long', async (_, body) => {
    const answer = await aBrowser(server).call('POST', '/login', { body });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      expires_in: 900,
      scope: '',
      user: expect.objectContaining({ username: 'alice', roles: ['user'] }) as object,
    });
  });

  it('S11 puts the tokens into cookies alone', async () => {
    const browser = aBrowser(server);
    const answer = await browser.call('POST', '/login', { body: credentials });
    expect(browser.jar.names).toEqual(names);
    expect(browser.jar.get('csrf_token')).toBe(csrfTokenFor(browser.jar.get('access_token') ?? ''));
    expect(answer.headers.getSetCookie().map((line) => line.replace(/=[^;]+/, ''))).toEqual([
      'access_token; Max-Age=900; Path=/; SameSite=Lax; HttpOnly',
      'refresh_token; Max-Age=2592000; Path=/; SameSite=Lax; HttpOnly',
      'csrf_token; Max-Age=2592000; Path=/; SameSite=Lax',
    ]);
    for (const value of browser.jar.values) expect(answer.text).not.toContain(value);
  });

  it('S11 binds them to the host and to https where the issuer is https', async () => {
    const secure = await openServer({ issuer: 'https://auth.example.com' });
    await secure.auth.users.create(credentials);
    const browser = aBrowser(secure);
    const { headers } = await browser.call('POST', '/login', { body: credentials });
    expect(browser.jar.names).toEqual(names.map((name) => `__Host-${name}`));
    for (const line of headers.getSetCookie()) {
      expect(line).toMatch(/; Path=\/; SameSite=Lax; Secure(; HttpOnly)?$/);
      expect(line).not.toMatch(/domain/i);
    }
    expect((await browser.call('GET', '/me')).status).toBe(200);
    await secure.auth.close();
  });

  it('S15 is not stored by anybody', async () => {
    for (const body of [credentials, { ...credentials, password: 'wrong' }]) {
      const { headers } = await aBrowser(server).call('POST', '/login', { body });
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('narrows the scope', async () => {
    await server.auth.users.create({ username: 'root', password: goodPassword, roles: ['admin'] });
    const browser = aBrowser(server);
    const body = { username: 'root', password: goodPassword, scope: 'users:read' };
    expect((await browser.call('POST', '/login', { body })).json).toMatchObject({ scope: 'users:read' });
    expect((await browser.call('GET', '/users')).status).toBe(200);
    expect((await browser.call('POST', '/users', { body: {} })).status).toBe(403);
  });

  it('P6 refuses a wrong password and an unknown user alike, and sets nothing', async () => {
    const wrong = await aBrowser(server).call('POST', '/login', { body: { ...credentials, password: 'wrong' } });
    const unknown = await aBrowser(server).call('POST', '/login', { body: { ...credentials, username: 'nobody' } });
    expect(wrong).toMatchObject({
      status: 401,
      json: { code: 'sign_in_refused', detail: 'Incorrect username or password' },
    });
    expect(wrong.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}"`);
    expect(wrong.headers.getSetCookie()).toEqual([]);
    expect([unknown.status, unknown.text]).toEqual([wrong.status, wrong.text]);
  });

  it.each([
    ['no body', undefined, 400],
    ['no password', { username: 'alice' }, 422],
    ['a field that is unknown', { ...credentials, remember: true }, 422],
    ['a password of another type', { ...credentials, password: { $ne: 1 } }, 422],
    ['more scope than the user has', { ...credentials, scope: 'users:read' }, 400],
  ])('refuses %s', async (_, body, status) => {
    const answer = await aBrowser(server).call('POST', '/login', body === undefined ? {} : { body });
    expect(answer.status).toBe(status);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe('S10 a session that comes along to a sign-in', () => {
  it('ends, and the browser gets another one', async () => {
    const browser = await aSignedInBrowser(server);
    const { line } = browser.jar;
    const before = await sessionsOf('alice');
    await browser.call('POST', '/login', { body: credentials });
    const after = await sessionsOf('alice');
    expect(after).toHaveLength(before.length);
    expect(after).not.toEqual(before);
    const captured = await server.call('GET', '/me', { headers: { cookie: line } });
    expect(captured).toMatchObject({ status: 401, json: { code: 'token_revoked' } });
    expect((await browser.call('GET', '/me')).status).toBe(200);
  });

  it('is never adopted when somebody planted it: it is that somebody’s which ends', async () => {
    const { id, token, refreshToken } = await server.aUser('mallory');
    const cookie = `access_token=${token}; refresh_token=${refreshToken}`;
    const answer = await server.call('POST', '/login', { body: credentials, headers: { ...ownPage, cookie } });
    const jar = new CookieJar();
    jar.take(answer.headers);
    const me = await server.call('GET', '/me', { headers: { cookie: jar.line } });
    expect(me.json).toMatchObject({ username: 'alice' });
    expect(await server.auth.sessions.list(id)).toEqual([]);
  });

  it('lives on when the sign-in fails', async () => {
    const browser = await aSignedInBrowser(server);
    await browser.call('POST', '/login', { body: { ...credentials, password: 'wrong' } });
    expect((await browser.call('GET', '/me')).status).toBe(200);
  });

  it('is ended by its refresh token when its access token is gone', async () => {
    const browser = await aSignedInBrowser(server);
    const old = browser.jar.get('refresh_token') ?? '';
    browser.jar.drop('access_token');
    await browser.call('POST', '/login', { body: credentials });
    await expect(server.auth.refresh({ refreshToken: old })).rejects.toMatchObject({ code: 'refresh_token_invalid' });
  });

  it.each(['garbage', 'a.b.c', 'A'.repeat(42), ''])('may be no token at all: %j', async (junk) => {
    const headers = { ...ownPage, cookie: `access_token=${junk}; refresh_token=${junk}; csrf_token=${junk}` };
    expect((await server.call('POST', '/login', { body: credentials, headers })).status).toBe(200);
  });
});

describe('S13 a sign-in that another site caused', () => {
  const signIn = (headers: Record<string, string>, body: Call['body'] = credentials): Promise<Answer> =>
    server.call('POST', '/login', { body, headers });
  const asForm = new URLSearchParams(credentials);

  it.each([
    ['says so', otherSite],
    ['comes from another host of the site', { 'sec-fetch-site': 'same-site', origin: 'https://www.example.com' }],
    ['comes from a sandbox', { origin: 'null' }],
    ['comes from another origin, in an old browser', { origin: 'https://evil.example' }],
  ])('is refused when the browser %s, whatever the body', async (_, headers) => {
    for (const body of [credentials, asForm]) {
      const answer = await signIn(headers, body);
      expect(answer).toMatchObject({ status: 403, json: { code: 'csrf_proof_missing' } });
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  it('is refused as anything a form can send when the browser says nothing', async () => {
    expect((await signIn({}, asForm)).status).toBe(403);
    const text = { 'content-type': 'text/plain' };
    expect((await signIn(text, `{"username":"alice","password":"${goodPassword}","x":"="}`)).status).toBe(403);
  });

  it('is let in as JSON when the caller says nothing: such are programs', async () => {
    expect((await signIn({})).status).toBe(200);
  });

  it('is let in from this origin and from those of CORS_ORIGINS', async () => {
    expect((await signIn({ origin: issuer }, asForm)).status).toBe(200);
    const { status, headers } = await signIn({ origin: appOrigin, 'sec-fetch-site': 'same-site' });
    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBe(appOrigin);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
  });
});

describe('POST /logout', () => {
  it('S8 ends the session, takes the cookies away, and leaves nothing to be captured', async () => {
    const browser = await aSignedInBrowser(server);
    const { line, values } = browser.jar;
    expect(await browser.call('POST', '/logout')).toMatchObject({ status: 204, text: '' });
    expect(browser.jar.names).toEqual([]);
    expect((await server.call('GET', '/me', { headers: { cookie: line } })).status).toBe(401);
    const again = await server.call('POST', '/token/refresh', { headers: { ...ownPage, cookie: line } });
    expect(again.json).toMatchObject({ error: 'invalid_grant' });
    for (const token of values) expect(await server.auth.introspect(token)).toEqual({ active: false });
  });

  it.each(['access_token', 'refresh_token', 'csrf_token'])('works without the cookie %s', async (name) => {
    const browser = await aSignedInBrowser(server);
    const captured = browser.jar.get('refresh_token') ?? '';
    browser.jar.drop(name);
    clock = new Date(clock.getTime() + 3_600_000);
    expect((await browser.call('POST', '/logout')).status).toBe(204);
    await expect(server.auth.refresh({ refreshToken: captured })).rejects.toMatchObject({
      code: 'refresh_token_invalid',
    });
  });

  it('ends the session by a refresh token that was spent already', async () => {
    const browser = await aSignedInBrowser(server);
    const { line } = browser.jar;
    await browser.call('POST', '/token/refresh');
    await server.call('POST', '/logout', { headers: { ...ownPage, cookie: line } });
    expect((await browser.call('GET', '/me')).status).toBe(401);
  });

  it.each(['', 'access_token=garbage', 'refresh_token=garbage', 'access_token=a; access_token=b'])(
    'takes the cookies away when there is no session in them: %j',
    async (cookie) => {
      const answer = await server.call('POST', '/logout', { headers: { ...ownPage, cookie } });
      expect(answer.status).toBe(204);
      expect(answer.headers.getSetCookie()).toHaveLength(3);
    },
  );

  it('does not sign out whoever comes with a bearer token', async () => {
    const { token } = await server.aUser('stays');
    expect((await server.call('POST', '/logout', { token, headers: ownPage })).status).toBe(204);
    expect((await server.call('GET', '/me', { token })).status).toBe(200);
  });
});
