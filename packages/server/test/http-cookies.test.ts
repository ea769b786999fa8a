import { AuthError } from '@sallyport/auth';
import { csrfTokenFor } from '@sallyport/guard';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CookieJar } from './cookie-jar.ts';
import { type Answer, type Call, goodPassword, openServer, type TestServer } from './http-server.ts';
import {
  aBrowser,
  appOrigin,
  aSignedInBrowser,
  type Browser,
  credentials,
  otherSite,
  ownPage,
} from './test-browser.ts';

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

const refresh = (browser: Browser, call: Call = {}): Promise<Answer> => browser.call('POST', '/token/refresh', call);

describe('S12 a request by cookie', () => {
  it('reads from anywhere, and is shown to nobody but pages of ours', async () => {
    const browser = await aSignedInBrowser(server);
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await browser.call('GET', '/me', { headers: link })).status).toBe(200);
    const { headers } = await browser.call('GET', '/me', { headers: otherSite });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each([
    ['another site', otherSite],
    ['another host of the site', { 'sec-fetch-site': 'same-site', origin: 'https://www.example.com' }],
    ['a sandbox', { origin: 'null' }],
    ['nobody in particular', {}],
  ])('changes nothing when it comes from %s', async (_, headers) => {
    const browser = await aSignedInBrowser(server);
    const calls: readonly [string, string, Call][] = [
      ['PATCH', '/me', { body: { email: 'eve@example.com' } }],
      ['DELETE', '/me/sessions', {}],
      ['POST', '/logout', {}],
      ['POST', '/token/refresh', {}],
    ];
    const { line } = browser.jar;
    for (const [method, path, call] of calls) {
      const answer = await browser.call(method, path, { ...call, headers });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(browser.jar.line).toBe(line);
    expect((await browser.call('GET', '/me')).json).toMatchObject({ email: null });
  });

  it('changes things with the CSRF token where the browser says nothing', async () => {
    const browser = await aSignedInBrowser(server);
    const headers = { 'x-csrf-token': browser.jar.get('csrf_token') ?? '' };
    const email = 'alice@example.com';
    expect((await browser.call('PATCH', '/me', { body: { email }, headers })).status).toBe(200);
    const wrong = { 'x-csrf-token': csrfTokenFor('another') };
    expect((await browser.call('PATCH', '/me', { body: { email: null }, headers: wrong })).status).toBe(403);
    expect((await browser.call('PATCH', '/me', { body: { email: null }, headers })).status).toBe(200);
  });

  it('changes things from the origins of CORS_ORIGINS', async () => {
    const browser = await aSignedInBrowser(server);
    const headers = { origin: appOrigin, 'sec-fetch-site': 'same-site' };
    expect((await browser.call('PATCH', '/me', { body: { email: null }, headers })).status).toBe(200);
  });

  it.each(['GET', 'HEAD'])('never signs in or out by %s', async (method) => {
    const browser = await aSignedInBrowser(server);
    for (const path of ['/login', '/logout', '/token/refresh']) {
      expect((await browser.call(method, path)).status).toBe(405);
    }
    expect((await browser.call('GET', '/me')).status).toBe(200);
  });
});

describe('a request by cookie', () => {
  it('B7 does not get around the guard by any spelling of the path', async () => {
    const browser = await aSignedInBrowser(server);
    for (const path of ['//users', '/users/', '/USERS', '/%75sers', '/users;x', '/users%2f', '/./users', '/users?x']) {
      expect([403, 404]).toContain((await browser.call('GET', path)).status);
    }
    expect((await browser.call('HEAD', '/users')).status).toBe(403);
  });

  it('B7 cannot skip the proof of its page by another method or path', async () => {
    const browser = await aSignedInBrowser(server);
    const headers = { ...otherSite, 'x-http-method-override': 'GET', 'x-original-url': '/livez' };
    for (const [method, path] of [
      ['DELETE', '/me/sessions'],
      ['DELETE', '//me/sessions'],
      ['DELETE', '/me/sessions/'],
      ['POST', '/me/sessions?_method=DELETE'],
      ['PROPFIND', '/me/sessions'],
    ] as const) {
      expect([403, 404, 405]).toContain((await browser.call(method, path, { headers })).status);
    }
    expect((await browser.call('GET', '/me')).status).toBe(200);
  });

  it('B2 is refused when it brings two access tokens, one of which was planted', async () => {
    const { line } = (await aSignedInBrowser(server)).jar;
    const cookie = `${line}; access_token=planted`;
    expect((await server.call('GET', '/me', { headers: { cookie } })).status).toBe(400);
  });

  it('counts less than a bearer token, which is no accident', async () => {
    const browser = await aSignedInBrowser(server);
    const { token } = await server.aUser('bearer');
    expect((await browser.call('GET', '/me', { token })).json).toMatchObject({ username: 'bearer' });
    expect((await browser.call('GET', '/me', { token: 'garbage' })).status).toBe(401);
    expect((await browser.call('GET', '/me', { headers: { authorization: 'Bearer' } })).status).toBe(400);
    const basic = await browser.call('GET', '/me', { headers: { authorization: 'Basic Og==' } });
    expect(basic.json).toMatchObject({ username: 'alice' });
  });

  it('never is a request with the other cookie: a refresh token opens no route (J24)', async () => {
    const { jar } = await aSignedInBrowser(server);
    const cookie = `access_token=${jar.get('refresh_token') ?? ''}`;
    expect((await server.call('GET', '/me', { headers: { cookie } })).status).toBe(401);
    const swapped = `refresh_token=${jar.get('access_token') ?? ''}`;
    const answer = await server.call('POST', '/token/refresh', { headers: { ...ownPage, cookie: swapped } });
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it('B10 keeps parallel requests apart', async () => {
    const browsers = await Promise.all(
      ['b1', 'b2', 'b3', 'b4'].map(async (username) => {
        const { token } = await server.aUser(username);
        return { username, headers: { ...ownPage, cookie: `access_token=${token}` } };
      }),
    );
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const { username, headers } = browsers[index % browsers.length] ?? { username: '', headers: {} };
        const { json } = await server.call('GET', '/me', { headers });
        return (json as { username: string }).username === username;
      }),
    );
    expect(new Set(answers)).toEqual(new Set([true]));
  });

  it('S11 gets no tokens in the answer to a changed password, but new cookies', async () => {
    await server.auth.users.create({ username: 'changer', password: goodPassword });
    const browser = aBrowser(server);
    await browser.call('POST', '/login', { body: { username: 'changer', password: goodPassword } });
    const [before, newPassword] = [browser.jar.line, 'amber-Walrus-73-lantern'];
    const body = { current_password: goodPassword, new_password: newPassword };
    const answer = await browser.call('POST', '/me/password', { body });
    expect(answer.json).toEqual({ expires_in: 900, scope: '' });
    expect((await browser.call('GET', '/me')).status).toBe(200);
    expect((await server.call('GET', '/me', { headers: { cookie: before } })).status).toBe(401);
    const token = browser.jar.get('access_token') ?? '';
    const back = { current_password: newPassword, new_password: goodPassword };
    const asked = await browser.call('POST', '/me/password', { token, body: back });
    expect(Object.keys(asked.json as object)).toContain('refresh_token');
    expect(asked.headers.getSetCookie()).toEqual([]);
  });
});

describe('POST /token/refresh with the refresh cookie', () => {
  it('S11 rotates, sets the cookies anew and answers without tokens', async () => {
    const browser = await aSignedInBrowser(server);
    const before = browser.jar.values;
    const answer = await refresh(browser);
    expect(answer).toMatchObject({ status: 200, json: { expires_in: 900, scope: '' } });
    expect(answer.text).toBe('{"expires_in":900,"scope":""}');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(browser.jar.names).toEqual(names);
    for (const value of browser.jar.values) expect(before).not.toContain(value);
    expect((await browser.call('GET', '/me')).status).toBe(200);
  });

  it('works when the access token has expired, also by the CSRF token that was kept', async () => {
    const browser = await aSignedInBrowser(server);
    clock = new Date(clock.getTime() + 3_600_000);
    browser.jar.drop('access_token');
    expect((await browser.call('GET', '/me')).json).toMatchObject({ code: 'not_authenticated' });
    const headers = { 'x-csrf-token': browser.jar.get('csrf_token') ?? '' };
    expect((await refresh(browser, { headers: {} })).status).toBe(403);
    expect((await refresh(browser, { headers })).status).toBe(200);
    expect((await browser.call('GET', '/me')).status).toBe(200);
  });

  it('S4 gives tabs that refresh at once the same successor', async () => {
    const { jar } = await aSignedInBrowser(server);
    const headers = { ...ownPage, cookie: jar.line };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => server.call('POST', '/token/refresh', { headers })),
    );
    const successors = answers.map((answer) => {
      const tab = new CookieJar();
      tab.take(answer.headers);
      return tab.get('refresh_token');
    });
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(new Set(successors).size).toBe(1);
    expect(successors[0]).not.toBe(jar.get('refresh_token'));
  });

  it('takes the cookies away when the session is over', async () => {
    const ended = await aSignedInBrowser(server);
    await server.auth.revoke(ended.jar.get('refresh_token') ?? '');
    const answer = await refresh(ended);
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(ended.jar.names).toEqual([]);

    const stolen = await aSignedInBrowser(server);
    const { line } = stolen.jar;
    await refresh(stolen);
    await refresh(stolen);
    const thief = await server.call('POST', '/token/refresh', { headers: { ...ownPage, cookie: line } });
    expect(thief.status).toBe(400);
    await refresh(stolen);
    expect(stolen.jar.names).toEqual([]);
  });

  it('keeps the cookies while the database is away: nothing is over', async () => {
    const broken = await openServer();
    await broken.auth.users.create(credentials);
    const browser = await aSignedInBrowser(broken);
    const { line } = browser.jar;
    broken.auth.refresh = broken.auth.revoke = async (): Promise<never> =>
      Promise.reject(new AuthError('store_unavailable', 'away', { retryAfter: 7 }));
    expect((await refresh(browser)).status).toBe(503);
    expect((await browser.call('POST', '/logout')).status).toBe(503);
    expect((await browser.call('POST', '/login', { body: credentials })).status).toBe(503);
    expect(browser.jar.line).toBe(line);
    await broken.auth.close();
  });

  it('goes by the body alone when there is one, and then touches no cookie', async () => {
    const browser = await aSignedInBrowser(server);
    const { refreshToken } = await server.aUser('body');
    const answer = await refresh(browser, { body: { refresh_token: refreshToken }, headers: {} });
    expect(answer.json).toHaveProperty('refresh_token');
    expect(answer.headers.getSetCookie()).toEqual([]);
    const refused = await refresh(browser, { body: { refresh_token: 'garbage' } });
    expect(refused.status).toBe(400);
    expect(refused.headers.getSetCookie()).toEqual([]);
    expect((await refresh(browser)).status).toBe(200);
  });

  it.each([
    ['no cookie', ''],
    ['two cookies', 'refresh_token=one; refresh_token=two'],
    ['an empty one', 'refresh_token='],
  ])('refuses %s and takes nothing away', async (_, cookie) => {
    const answer = await server.call('POST', '/token/refresh', { headers: { ...ownPage, cookie } });
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe('POST /token/revoke beside a cookie', () => {
  it('needs a token of its own: the cookie is for POST /logout', async () => {
    const browser = await aSignedInBrowser(server);
    for (const headers of [ownPage, { ...ownPage, authorization: 'Basic Og==' }]) {
      const answer = await browser.call('POST', '/token/revoke', { headers });
      expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
    }
    expect((await browser.call('GET', '/me')).status).toBe(200);
  });
});
