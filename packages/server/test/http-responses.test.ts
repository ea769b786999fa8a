import { AuthError } from '@sallyport/auth';
import { createHandler, type RequestRecord } from 'sallyport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorTable } from '../src/responses.ts';
import { goodPassword, issuer, openServer, type TestServer } from './http-server.ts';

let server: TestServer;
const records: RequestRecord[] = [];
const failures: { readonly error: unknown; readonly requestId: string }[] = [];

beforeAll(async () => {
  const options = {
    onRequest: (record: RequestRecord): void => void records.push(record),
    onError: (error: unknown, requestId: string): void => void failures.push({ error, requestId }),
    corsOrigins: ['https://app.example.com'],
  };
  server = await openServer({}, options);
});
afterAll(() => server.auth.close());

describe('S20 failures tell the caller nothing', () => {
  const secret = new Error('SELECT * FROM users at /srv/app/store.js');

  it('answers an unexpected error with a request id, and gives the cause to the log only', async () => {
    const { auth } = await openServer();
    auth.users.register = auth.refresh = async (): Promise<never> => Promise.reject(secret);
    const seen: unknown[] = [];
    const handler = createHandler(auth, { onError: (error, requestId) => seen.push([error, requestId]) });
    const body = new URLSearchParams({ username: 'a', password: 'b' });
    const problem = await handler(new Request(`${issuer}/register`, { method: 'POST', body }), { requestId: 'r-1' });
    const problemText = await problem.text();
    expect(problem.status).toBe(500);
    expect(JSON.parse(problemText)).toMatchObject({ code: 'internal_error', request_id: 'r-1' });
    const token = new URLSearchParams({ refresh_token: 'x' });
    const oauth = await handler(new Request(`${issuer}/token/refresh`, { method: 'POST', body: token }), {
      requestId: 'r-2',
    });
    const oauthText = await oauth.text();
    expect(oauth.status).toBe(500);
    expect(JSON.parse(oauthText)).toMatchObject({ error: 'server_error' });
    expect(problemText + oauthText).not.toMatch(/SELECT|store\.js/);
    expect(seen).toEqual([
      [secret, 'r-1'],
      [secret, 'r-2'],
    ]);
    await auth.close();
  });

  it.each(['busy', 'store_unavailable'] as const)(
    'answers %s with 503 and Retry-After, in both worlds',
    async (code) => {
      const { auth } = await openServer();
      const failure = new AuthError(code, 'internal text', { retryAfter: 7 });
      auth.refresh = auth.users.register = async (): Promise<never> => Promise.reject(failure);
      const handler = createHandler(auth);
      const body = new URLSearchParams({ refresh_token: 'x' });
      const registration = new URLSearchParams({ username: 'a', password: 'b' });
      const oauth = await handler(new Request(`${issuer}/token/refresh`, { method: 'POST', body }));
      const problem = await handler(new Request(`${issuer}/register`, { method: 'POST', body: registration }));
      expect([oauth.status, problem.status]).toEqual([503, 503]);
      expect([oauth.headers.get('retry-after'), problem.headers.get('retry-after')]).toEqual(['7', '7']);
      expect(await oauth.json()).toMatchObject({ error: 'temporarily_unavailable' });
      expect(await problem.json()).toMatchObject({ code });
      await auth.close();
    },
  );

  it('B9 answers 503, not 401, when the guard cannot learn what was revoked, and tells the log why', async () => {
    const seen: unknown[] = [];
    const broken = await openServer({}, { onError: (error, requestId) => seen.push([error, requestId]) });
    const { token } = await broken.aUser('unlucky');
    await broken.auth.close();
    expect((await broken.call('GET', '/me', { token, info: { requestId: 'r-1' } })).status).toBe(503);
    expect(seen).toEqual([[expect.objectContaining({ cause: expect.any(Error) as Error }), 'r-1']]);
    expect((await broken.call('GET', '/readyz')).status).toBe(503);
    expect((await broken.call('GET', '/livez')).status).toBe(200);
  });

  it('words every error for people, without a full stop, in characters OAuth may carry', () => {
    for (const { detail } of Object.values(errorTable)) {
      expect(detail).toMatch(/^[A-Z][\x20\x21\x23-\x5B\x5D-\x7E]+[^.]$/);
    }
  });
});

describe('headers of every response', () => {
  const always = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' };

  it.each([
    ['GET', '/livez'],
    ['GET', '/me'],
    ['GET', '/nothing'],
    ['PUT', '/token'],
    ['POST', '/token'],
    ['HEAD', '/token'],
    ['GET', '/openapi.json'],
    ['GET', '/'],
  ])('%s %s', async (method, path) => {
    const { headers } = await server.call(method, path);
    expect(Object.fromEntries(headers)).toMatchObject(always);
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('strict-transport-security')).toBeNull();
  });

  it('S21 sends Strict-Transport-Security when the issuer is https', async () => {
    const secure = await openServer({ issuer: 'https://auth.example.com' });
    const { headers } = await secure.call('GET', '/livez');
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
    await secure.auth.close();
  });

  it('lets caches keep the JWK Set and the metadata for ten minutes', async () => {
    for (const path of ['/.well-known/jwks.json', '/.well-known/oauth-authorization-server']) {
      expect((await server.call('GET', path)).headers.get('cache-control')).toBe('public, max-age=600');
    }
  });
});

describe('request ids', () => {
  it('keeps a harmless one', async () => {
    const { headers } = await server.call('GET', '/livez', { headers: { 'x-request-id': 'trace_42-a' } });
    expect(headers.get('x-request-id')).toBe('trace_42-a');
  });

  it.each(['a b', 'a"b', '<script>', 'x'.repeat(65), 'é', ''])('replaces %j (S19)', async (sent) => {
    const { headers } = await server.call('GET', '/livez', { headers: { 'x-request-id': sent } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('S19 the request record', () => {
  it('holds who asked what, and how it went, but no query and no secret', async () => {
    const user = await server.aUser('logged');
    records.length = 0;
    await server.call('GET', '/me?token=sesame', {
      token: user.token,
      info: { address: '203.0.113.7', requestId: 'r-1' },
    });
    expect(records).toEqual([
      {
        requestId: 'r-1',
        method: 'GET',
        path: '/me',
        status: 200,
        durationMs: expect.any(Number),
        subject: user.id,
        address: '203.0.113.7',
      },
    ]);
  });

  it('never holds a password or a token, whatever happens', async () => {
    const user = await server.aUser('careful');
    const secrets = [goodPassword, user.token, user.refreshToken];
    records.length = 0;
    failures.length = 0;
    await server.call('POST', '/token', { body: { username: 'careful', password: goodPassword } });
    await server.call('POST', '/token', { body: { username: goodPassword, password: 'wrong' } });
    await server.call('POST', '/token/refresh', { body: { refresh_token: user.refreshToken } });
    await server.call('GET', `/me?access_token=${user.token}`);
    await server.call('POST', '/token/revoke', { body: { token: user.token } });
    const logged = JSON.stringify([records, failures]);
    for (const secret of secrets) expect(logged).not.toContain(secret);
  });

  it('names nobody when nobody was verified', async () => {
    records.length = 0;
    await server.call('GET', '/me', { token: 'garbage' });
    expect(records[0]).not.toHaveProperty('subject');
  });
});

describe('S14 CORS', () => {
  const origin = 'https://app.example.com';
  const preflight = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' };

  it('answers the preflight of an allowed origin', async () => {
    const { status, headers } = await server.call('OPTIONS', '/me', { headers: { ...preflight, origin } });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, X-CSRF-Token, X-Request-Id, X-Requested-With',
    );
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toBe('Origin');
  });

  it('lets an allowed origin read refusals too', async () => {
    const { headers } = await server.call('GET', '/me', { headers: { origin } });
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
    expect(headers.get('access-control-allow-credentials')).toBe('true');
  });

  it.each([
    'https://evil.example',
    'null',
    'https://app.example.com.evil.example',
    'https://sub.app.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
  ])('gives nothing to %s', async (other) => {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await server.call(method, '/livez', { headers: { ...preflight, origin: other } });
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(headers.get('vary')).toBe('Origin');
    }
  });

  it.each(['*', 'null', 'app.example.com', 'https://app.example.com/', 'https://*.example.com/x', ''])(
    'refuses to start with the origin %j',
    (wrong) => {
      expect(() => createHandler(server.auth, { corsOrigins: [wrong] })).toThrow(TypeError);
    },
  );
});

describe('RFC 8414 metadata', () => {
  it('publishes the issuer’s URLs, whatever Host the request names (P17)', async () => {
    const mounted = await openServer({ issuer: 'https://example.com/auth' });
    const headers = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    const handler = createHandler(mounted.auth);
    const url = 'http://evil.example/.well-known/oauth-authorization-server';
    const response = await handler(new Request(url, { headers }));
    const metadata = (await response.json()) as Record<string, unknown>;
    expect(metadata).toMatchObject({
      issuer: 'https://example.com/auth',
      token_endpoint: 'https://example.com/auth/token',
      jwks_uri: 'https://example.com/auth/.well-known/jwks.json',
      response_types_supported: [],
    });
    expect(JSON.stringify(metadata)).not.toMatch(/evil|none"\],"alg|registration_endpoint/);
    await mounted.auth.close();
  });
});
