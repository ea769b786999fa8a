import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgedTokens } from '../forged-tokens.ts';
import { type BodyStyle, get, password, post, signIn, signUp, tokensIn } from '../http-client.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.remove());

const challengeOf = (answer: { headers: Headers }): string | null => answer.headers.get('www-authenticate');

describe.each<BodyStyle>(['form', 'json'])('a user whose client sends %s bodies', (style) => {
  const username = `ada-${style}`;

  it('registers, signs in and reads their account', async () => {
    const registered = await post(`${server.url}/register`, { username, password }, { style });
    expect(registered).toMatchObject({
      status: 201,
      body: { username, email: null, roles: ['user'], disabled: false },
    });
    const answer = await post(`${server.url}/token`, { username, password }, { style });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(answer.body).toSorted()).toEqual([
      'access_token',
      'expires_in',
      'refresh_token',
      'scope',
      'token_type',
    ]);
    const { access_token, token_type, expires_in } = tokensIn(answer);
    expect({ token_type, expires_in }).toEqual({ token_type: 'Bearer', expires_in: 900 });
    const me = await get(`${server.url}/me`, access_token);
    expect(me).toMatchObject({ status: 200, body: { username, id: registered.body['id'] } });
  });

  it('hears the same about a wrong password and an unknown user', async () => {
    const wrong = await post(`${server.url}/token`, { username, password: 'wrong-otter-violin-91' }, { style });
    const unknown = await post(`${server.url}/token`, { username: 'nobody', password }, { style });
    const expected = { error: 'invalid_grant', error_description: 'Incorrect username or password' };
    expect(wrong).toMatchObject({ status: 401, body: expected });
    expect(unknown).toMatchObject({ status: 401, body: expected });
    expect(challengeOf(wrong)).toMatch(/^Bearer/);
    expect(challengeOf(unknown)).toBe(challengeOf(wrong));
  });

  it('rotates refresh tokens R1 → R2 → R3; R1 after R3 ends the session', async () => {
    const refresh = (refresh_token: string) => post(`${server.url}/token/refresh`, { refresh_token }, { style });
    const { refresh_token: first } = await signIn(server.url, username);
    const { refresh_token: second } = tokensIn(await refresh(first));
    expect(tokensIn(await refresh(first)).refresh_token).toBe(second);
    const { refresh_token: third, access_token } = tokensIn(await refresh(second));
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await refresh(first)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await refresh(third)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await get(`${server.url}/me`, access_token)).toMatchObject({
      status: 401,
      body: { detail: 'Token has been revoked' },
    });
  });

  it('refreshes at the token endpoint too', async () => {
    const { refresh_token } = await signIn(server.url, username);
    const answer = await post(`${server.url}/token`, { grant_type: 'refresh_token', refresh_token }, { style });
    expect(answer.status).toBe(200);
  });

  it.each(['access_token', 'refresh_token'] as const)('signs out by revoking the %s, at once', async (kind) => {
    const tokens = await signIn(server.url, username);
    expect(await get(`${server.url}/me`, tokens.access_token)).toMatchObject({ status: 200 });
    expect(await post(`${server.url}/token/revoke`, { token: tokens[kind] }, { style })).toMatchObject({ status: 200 });
    expect(await get(`${server.url}/me`, tokens.access_token)).toMatchObject({
      status: 401,
      body: { detail: 'Token has been revoked' },
    });
    const refreshed = await post(`${server.url}/token/refresh`, { refresh_token: tokens.refresh_token }, { style });
    expect(refreshed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});

describe('P6 the time of an answer', () => {
  it('is about the same for a wrong password and an unknown user', async () => {
    await signUp(server.url, 'timed');
    const timeOf = async (username: string): Promise<number> => {
      const start = performance.now();
      await post(`${server.url}/token`, { username, password: 'wrong-otter-violin-91' });
      return performance.now() - start;
    };
    const times: { wrong: number[]; unknown: number[] } = { wrong: [], unknown: [] };
    for (let round = 0; round < 25; round += 1) {
      times.wrong.push(await timeOf('timed'));
      times.unknown.push(await timeOf(`nobody-${String(round)}`));
    }
    const typical = (values: number[]): number => values.toSorted((a, b) => a - b)[6] ?? NaN;
    const ratio = typical(times.unknown) / typical(times.wrong);
    // The busy machine of a test allows no finer comparison; an answer without a password check is ten times faster.
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.67);
  });
});

describe('a protected route', () => {
  it('B1 challenges a request without a token, without an error code', async () => {
    const answer = await get(`${server.url}/me`);
    expect(answer).toMatchObject({ status: 401, body: { detail: 'Not authenticated' } });
    expect(challengeOf(answer)).toBe(`Bearer realm="${server.url}"`);
  });

  it('B3 refuses forged tokens as invalid_token and says no more', async () => {
    const { access_token } = await signUp(server.url, 'victim');
    const { body } = await get(`${server.url}/.well-known/jwks.json`);
    const [published] = body['keys'] as readonly JWK[];
    const forged = forgedTokens(access_token, published ?? {});
    for (const [attack, token] of Object.entries(forged)) {
      const answer = await get(`${server.url}/me`, token);
      expect({ attack, status: answer.status, detail: answer.body['detail'] }).toEqual({
        attack,
        status: 401,
        detail: 'Could not validate credentials',
      });
      expect(challengeOf(answer)).toContain('error="invalid_token"');
    }
  });

  it('J24 refuses a refresh token as access token, and the reverse', async () => {
    const tokens = await signUp(server.url, 'confused');
    expect(await get(`${server.url}/me`, tokens.refresh_token)).toMatchObject({ status: 401 });
    const refreshed = await post(`${server.url}/token/refresh`, { refresh_token: tokens.access_token });
    expect(refreshed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('B3 answers 403 to a good token without the right', async () => {
    const { access_token } = await signUp(server.url, 'modest');
    const answer = await get(`${server.url}/users`, access_token);
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect(challengeOf(answer)).toContain('scope="users:read"');
  });
});

describe('the command line beside a running server', () => {
  it('S9 disables a user, whose next request is refused', async () => {
    const { access_token, refresh_token } = await signUp(server.url, 'mallory');
    expect((await get(`${server.url}/me`, access_token)).status).toBe(200);
    await server.sallyportJson(['users', 'disable', 'mallory']);
    expect(await get(`${server.url}/me`, access_token)).toMatchObject({ status: 401 });
    expect(await post(`${server.url}/token/refresh`, { refresh_token })).toMatchObject({ status: 400 });
    expect(await post(`${server.url}/token`, { username: 'mallory', password })).toMatchObject({ status: 401 });
  });

  it('creates an administrator, reading the password from stdin', async () => {
    const user = await server.sallyportJson(['users', 'create', 'root', '--role', 'admin'], `${password}\n`);
    expect(user).toMatchObject({ username: 'root', roles: ['admin'] });
    const { access_token } = await signIn(server.url, 'root');
    expect((await get(`${server.url}/users`, access_token)).status).toBe(200);
  });

  it('S9 changes roles at once, for tokens already out', async () => {
    const { access_token } = await signUp(server.url, 'climber');
    expect((await get(`${server.url}/users`, access_token)).status).toBe(403);
    await server.sallyportJson(['users', 'set-roles', 'climber', 'admin']);
    expect((await get(`${server.url}/users`, access_token)).status).toBe(200);
    await server.sallyportJson(['users', 'set-roles', 'climber', 'user']);
    expect((await get(`${server.url}/users`, access_token)).status).toBe(403);
  });

  it('issues tokens that work and revokes the sessions of a user', async () => {
    await signUp(server.url, 'robot');
    const issued = await server.sallyportJson(['tokens', 'issue', 'robot']);
    expect(issued).toMatchObject({
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      expires_in: 900,
    });
    const { access_token } = issued as { access_token: string };
    expect((await get(`${server.url}/me`, access_token)).status).toBe(200);
    expect(await server.sallyportJson(['sessions', 'revoke', '--user', 'robot'])).toEqual({ revoked: 2 });
    expect((await get(`${server.url}/me`, access_token)).status).toBe(401);
  });
});
