import type { IncomingMessage } from 'node:http';
import { type Auth, createAuth } from '@sallyport/auth';
import { sqlite } from '@sallyport/auth/sqlite';
import {
  createCookieRenewal,
  createGuard,
  createSessionCookies,
  type Guard,
  nodeRequest,
  type Verdict,
} from '@sallyport/guard';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CookieJar } from '../packages/server/test/cookie-jar.ts';
import { type GuideApp, startGuideApp } from './guide-app.ts';
import { password } from './http-client.ts';

describe('the application of docs/guides/tokens-without-accounts.md', () => {
  let app: GuideApp;
  const jar = new CookieJar();
  const ownPage = { 'sec-fetch-site': 'same-origin' };

  beforeAll(async () => {
    app = await startGuideApp('tokens-without-accounts', { 'app.ts': 'ts' });
  });
  afterAll(() => app?.remove());

  async function call(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { cookie: jar.line, ...ownPage, ...init.headers };
    const response = await fetch(app.url + path, { ...init, method, headers });
    jar.take(response.headers);
    return response;
  }
  const signIn = (name: string, headers: Record<string, string> = ownPage): Promise<Response> =>
    call('POST', '/login', {
      body: JSON.stringify({ name, password }),
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('signs its own users in, under their own ids, with their roles', async () => {
    expect((await call('GET', '/articles')).status).toBe(401);
    expect((await signIn('ada')).status).toBe(200);
    expect(await (await call('GET', '/articles')).json()).toEqual({ reader: '42' });
    expect((await call('POST', '/articles')).status).toBe(201);
    expect((await signIn('nobody')).status).toBe(401);
  });

  it('S12 S13 lets no other site write or sign in', async () => {
    const otherSite = { 'sec-fetch-site': 'cross-site' };
    expect((await call('POST', '/articles', { headers: otherSite })).status).toBe(403);
    expect((await call('POST', '/logout', { headers: otherSite })).status).toBe(403);
    expect((await signIn('guest', otherSite)).status).toBe(403);
    expect(await (await call('GET', '/articles')).json()).toEqual({ reader: '42' });
  });

  it('refreshes by itself when the access token has gone, and not before', async () => {
    expect((await call('GET', '/articles')).headers.getSetCookie()).toEqual([]);
    const before = jar.get('refresh_token');
    jar.drop('access_token');
    const response = await call('GET', '/articles');
    expect(await response.json()).toEqual({ reader: '42' });
    expect(response.headers.getSetCookie()).toHaveLength(3);
    expect(jar.get('refresh_token')).not.toBe(before);
  });

  it('S10 ends the session before when somebody else signs in', async () => {
    const captured = jar.line;
    expect((await signIn('guest')).status).toBe(200);
    expect((await call('POST', '/articles')).status).toBe(403);
    expect((await call('GET', '/articles', { headers: { cookie: captured } })).status).toBe(401);
  });

  it('S8 signs out, and refreshes nothing any more', async () => {
    expect((await signIn('ada')).status).toBe(200);
    const captured = jar.line;
    expect((await call('POST', '/logout')).status).toBe(204);
    expect(jar.names).toEqual([]);
    const late = await call('GET', '/articles', { headers: { cookie: captured } });
    expect(late.status).toBe(401);
    const withoutAccess = captured.replace(/access_token=[^;]*; /, '');
    expect((await call('GET', '/articles', { headers: { cookie: withoutAccess } })).status).toBe(401);
    expect(app.program.output()).toBe('');
  });
});

describe('renewal on the real engine', () => {
  let auth: Auth;
  let guard: Guard;
  let jar: CookieJar;
  let now: Date;
  const origin = 'https://app.example.com';
  const cookies = createSessionCookies({ origin });

  beforeAll(async () => {
    now = new Date();
    const secretKey = 'a-secret-key-for-tests-only-0123456789-abcdef';
    auth = await createAuth({ issuer: origin, store: sqlite(':memory:'), secretKey, clock: () => now });
    guard = createGuard({
      issuer: origin,
      audience: origin,
      keys: auth.keys.source,
      changes: auth.changes,
      now: auth.now,
      credentials: [cookies.source],
    });
  });
  afterAll(() => auth.close());
  beforeEach(async () => {
    jar = new CookieJar();
    keep(cookies.set(await auth.tokens.issueFor({ subject: '42' })));
  });

  const keep = (lines: readonly string[]): void => {
    jar.take(new Headers(lines.map((line): [string, string] => ['set-cookie', line])));
  };
  const forward = (seconds: number): void => {
    now = new Date(now.getTime() + seconds * 1000);
  };
  /** What a browser sends now, as Node reads it. */
  const aRequest = (): Pick<IncomingMessage, 'rawHeaders' | 'headers' | 'method' | 'url'> => ({
    method: 'GET',
    url: '/',
    rawHeaders: ['Cookie', jar.line],
    headers: { cookie: jar.line },
  });
  const renewAt = (): ReturnType<typeof createCookieRenewal> =>
    createCookieRenewal({ cookies, refresh: auth.refresh, now: auth.now });
  const outcome = (verdict: Verdict): string => (verdict.granted ? 'granted' : verdict.refusal.body.code);

  it('S4 gives the twenty requests of one page the same refresh token', async () => {
    forward(700);
    const renew = renewAt();
    const answers = await Promise.all(Array.from({ length: 20 }, () => renew(aRequest())));
    expect(new Set(answers.map(([, refresh]) => refresh?.split(';', 1).join(''))).size).toBe(1);
    keep(answers[7] ?? []);
    expect(await renew(aRequest())).toEqual([]);
    expect(outcome(await guard.check(nodeRequest(aRequest())))).toBe('granted');
  });

  it('S8 cannot bring a session back that was signed out while an answer was on its way', async () => {
    forward(700);
    const renew = renewAt();
    const late = await renew(aRequest());
    expect(late).toHaveLength(3);
    await auth.revoke(jar.get('__Host-refresh_token') ?? '');
    keep(cookies.clear());
    keep(late);
    const request = aRequest();
    expect(outcome(await guard.check(nodeRequest(request)))).toBe('token_revoked');
    forward(700);
    expect(await renew(aRequest())).toEqual(cookies.clear());
  });

  it('S8 loses to a sign-out at the same moment, whichever comes first', async () => {
    for (let round = 0; round < 20; round += 1) {
      keep(cookies.set(await auth.tokens.issueFor({ subject: '42' })));
      forward(700);
      const token = jar.get('__Host-refresh_token') ?? '';
      const [lines] = await Promise.all([renewAt()(aRequest()), auth.revoke(token)]);
      keep(lines);
      if (jar.line !== '') expect(outcome(await guard.check(nodeRequest(aRequest())))).toBe('token_revoked');
    }
  });
});
