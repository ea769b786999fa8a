import { verifyAccessToken } from '@sallyport/jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, goodPassword, issuer, openServer, type TestServer } from './http-server.ts';

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

const tokensOf = (answer: Answer): Tokens => answer.json as Tokens;
const form = (fields: Record<string, string>): URLSearchParams => new URLSearchParams(fields);

let server: TestServer;
let clock = new Date();

beforeAll(async () => {
  server = await openServer({ clock: () => clock });
  await server.auth.users.create({ username: 'alice', password: goodPassword });
});
afterAll(() => server.auth.close());

const signIn = (fields: object = {}): Promise<Answer> =>
  server.call('POST', '/token', { body: { username: 'alice', password: goodPassword, ...fields } });

describe('POST /token with a password', () => {
  const credentials = { grant_type: 'password', username: 'alice', password: goodPassword };

  it.each([
    ['a form', form(credentials)],
    ['JSON', credentials],
    [
      'a form without grant_type, as OAuth2PasswordRequestForm clients send it',
      form({ username: 'alice', password: goodPassword }),
    ],
    ['a form with empty fields', form({ ...credentials, scope: '', client_id: '', client_secret: '' })],
  ])('signs in by %s', async (_, body) => {
    const answer = await server.call('POST', '/token', { body });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json as object).toSorted()).toEqual([
      'access_token',
      'expires_in',
      'refresh_token',
      'scope',
      'token_type',
    ]);
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: '' });
  });

  it('tolerates Basic credentials, which change nothing', async () => {
    const answer = await server.call('POST', '/token', {
      body: form(credentials),
      headers: { authorization: 'Basic Og==' },
    });
    expect(answer.status).toBe(200);
  });

  it('accepts a charset parameter', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
    expect((await server.call('POST', '/token', { body: form(credentials), headers })).status).toBe(200);
  });

  it('issues tokens that verify with the published JWK Set', async () => {
    const { access_token: token } = tokensOf(await signIn());
    const keys = (await server.call('GET', '/.well-known/jwks.json')).json as { keys: [] };
    const { claims } = verifyAccessToken(token, { keys, issuer, audience: issuer, now: clock });
    expect(claims.iss).toBe(issuer);
  });

  it('tells a wrong password and an unknown user alike (P6)', async () => {
    const wrong = await signIn({ password: 'wrong' });
    const unknown = await signIn({ username: 'nobody' });
    expect(wrong.status).toBe(401);
    expect(wrong.text).toBe('{"error":"invalid_grant","error_description":"Incorrect username or password"}');
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Bearer\b(?!.*error=)/);
    const comparable = (answer: Answer): unknown => [
      answer.status,
      answer.text,
      [...answer.headers].filter(([name]) => name !== 'x-request-id'),
    ];
    expect(comparable(unknown)).toEqual(comparable(wrong));
  });

  it.each([
    ['no grant type and no user name', {}, 'invalid_request'],
    ['a password missing', { grant_type: 'password', username: 'alice' }, 'invalid_request'],
    ['a user name missing', { grant_type: 'password', password: 'x' }, 'invalid_request'],
    ['a refresh token missing', { grant_type: 'refresh_token' }, 'invalid_request'],
    ['another grant type', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [
      'another grant type with its own fields',
      { grant_type: 'authorization_code', code: 'x' },
      'unsupported_grant_type',
    ],
    ['another grant type in a form', form({ grant_type: 'anything_else', code: 'x' }), 'unsupported_grant_type'],
    ['a grant type that is no text', { grant_type: 1, code: 'x' }, 'invalid_request'],
    ['an unknown field', { ...credentials, is_admin: 'true' }, 'invalid_request'],
    ['a field of another type', { ...credentials, username: { $ne: 1 } }, 'invalid_request'],
    ['more scope than the user has', { ...credentials, scope: 'users:read' }, 'invalid_scope'],
    ['a malformed scope', { ...credentials, scope: 'a"b' }, 'invalid_scope'],
  ])('refuses %s with an RFC 6749 error', async (_, body, error) => {
    const answer = await server.call('POST', '/token', { body });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ error });
  });

  it('names the unknown field, in characters that error_description may have', async () => {
    const answer = await signIn({ 'is"admin\\é': true });
    expect(answer.json).toEqual({
      error: 'invalid_request',
      error_description: 'Some fields are not valid; is?admin?? is not a known field',
    });
  });
});

describe('S15 token responses are not stored', () => {
  it.each([
    ['a success', { username: 'alice', password: goodPassword }],
    ['a refusal', { username: 'alice', password: 'wrong' }],
    ['a malformed request', '{'],
  ])('marks %s', async (_, body) => {
    const { headers } = await server.call('POST', '/token', { body });
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  });
});

describe('refreshing', () => {
  const refresh = (token: string, path = '/token/refresh'): Promise<Answer> =>
    server.call('POST', path, {
      body: path === '/token' ? form({ grant_type: 'refresh_token', refresh_token: token }) : { refresh_token: token },
    });

  it.each(['/token', '/token/refresh'])('rotates R1 → R2 → R3 at %s', async (path) => {
    const first = tokensOf(await signIn()).refresh_token;
    const second = tokensOf(await refresh(first, path)).refresh_token;
    const third = tokensOf(await refresh(second, path)).refresh_token;
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('takes a form at /token/refresh too', async () => {
    const { refresh_token: token } = tokensOf(await signIn());
    expect((await server.call('POST', '/token/refresh', { body: form({ refresh_token: token }) })).status).toBe(200);
  });

  it('gives the same successor to a token presented twice within the grace (S3)', async () => {
    const first = tokensOf(await signIn()).refresh_token;
    const [one, other] = [await refresh(first), await refresh(first)];
    expect(tokensOf(other).refresh_token).toBe(tokensOf(one).refresh_token);
  });

  it('ends the session when R1 comes back after R3 (S2)', async () => {
    const first = tokensOf(await signIn()).refresh_token;
    const second = tokensOf(await refresh(first)).refresh_token;
    const third = tokensOf(await refresh(second)).refresh_token;
    expect(await refresh(first)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(await refresh(third)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it('answers everybody who holds no genuine refresh token alike, whether there is such a session or not', async () => {
    const { access_token: accessToken, refresh_token: token } = tokensOf(await signIn());
    const answers = [];
    for (const bad of [accessToken, 'garbage', `${token.slice(0, -4)}AAAA`]) answers.push(await refresh(bad));
    await server.auth.revoke(token);
    answers.push(await refresh(`${token.slice(0, -4)}AAAA`));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it('tells whoever holds a genuine one what became of its session', async () => {
    const told = async (token: string): Promise<unknown> =>
      ((await refresh(token)).json as { error_description: unknown }).error_description;
    const first = tokensOf(await signIn()).refresh_token;
    const second = tokensOf(await refresh(first)).refresh_token;
    await refresh(second);
    expect(await told(first)).toBe('The refresh token was used before, so its session has ended: sign in again');
    expect(await told(first)).toBe('The session has ended, sign in again');
    const idle = tokensOf(await signIn()).refresh_token;
    const before = clock;
    clock = new Date(clock.getTime() + 31 * 86_400_000);
    expect(await told(idle)).toBe('The session has expired, sign in again');
    clock = before;
  });

  it('accepts what OAuth clients send along, which changes nothing', async () => {
    const { refresh_token: token } = tokensOf(await signIn());
    const fields = { grant_type: 'refresh_token', refresh_token: token, client_id: 'x', client_secret: 'y' };
    expect((await server.call('POST', '/token/refresh', { body: form(fields) })).status).toBe(200);
  });

  it('refuses another grant type at /token/refresh', async () => {
    const answer = await server.call('POST', '/token/refresh', { body: form({ grant_type: 'password', x: 'y' }) });
    expect(answer).toMatchObject({
      status: 400,
      json: { error: 'unsupported_grant_type', error_description: 'The grant type here is refresh_token' },
    });
  });

  it('refuses more scope than the session has (S7)', async () => {
    const { refresh_token: token } = tokensOf(await signIn());
    const answer = await server.call('POST', '/token/refresh', {
      body: { refresh_token: token, scope: 'users:write' },
    });
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_scope' } });
  });
});

describe('POST /token/revoke (S8, RFC 7009)', () => {
  const readMe = (token: string): Promise<Answer> => server.call('GET', '/me', { token });
  const revoke = (body: object): Promise<Answer> => server.call('POST', '/token/revoke', { body });

  it.each(['access_token', 'refresh_token'] as const)('ends the session of an %s at once', async (kind) => {
    const tokens = tokensOf(await signIn());
    expect(await revoke(form({ token: tokens[kind], token_type_hint: 'refresh_token' }))).toMatchObject({
      status: 200,
      text: '{}',
    });
    expect(await readMe(tokens.access_token)).toMatchObject({
      status: 401,
      json: { detail: 'Token has been revoked' },
    });
    const refreshed = await server.call('POST', '/token/refresh', { body: { refresh_token: tokens.refresh_token } });
    expect(refreshed.json).toMatchObject({ error: 'invalid_grant' });
  });

  it('ends the session of the bearer when there is no body', async () => {
    const { access_token: token } = tokensOf(await signIn());
    expect((await server.call('POST', '/token/revoke', { token })).status).toBe(200);
    expect((await readMe(token)).status).toBe(401);
  });

  it('looks at the token in the body, not at the bearer, when both are there', async () => {
    const [mine, other] = [tokensOf(await signIn()), tokensOf(await signIn())];
    await server.call('POST', '/token/revoke', { token: mine.access_token, body: { token: other.refresh_token } });
    expect((await readMe(mine.access_token)).status).toBe(200);
    expect((await readMe(other.access_token)).status).toBe(401);
  });

  it('answers 200 for a token nobody knows', async () => {
    expect((await revoke({ token: 'garbage' })).status).toBe(200);
  });

  it('answers 200 for a bearer that is revoked already, or that nobody knows', async () => {
    const { access_token: token } = tokensOf(await signIn());
    await server.auth.revoke(token);
    for (const dead of [token, 'garbage']) {
      expect(await server.call('POST', '/token/revoke', { token: dead })).toMatchObject({ status: 200, text: '{}' });
    }
  });

  it('ends the session of an expired bearer', async () => {
    const tokens = tokensOf(await signIn());
    const before = clock;
    clock = new Date(clock.getTime() + 3_600_000);
    expect((await server.call('POST', '/token/revoke', { token: tokens.access_token })).status).toBe(200);
    clock = before;
    const refreshed = await server.call('POST', '/token/refresh', { body: { refresh_token: tokens.refresh_token } });
    expect(refreshed.json).toMatchObject({ error: 'invalid_grant' });
  });

  it('refuses a malformed Authorization header without a body', async () => {
    const answer = await server.call('POST', '/token/revoke', { headers: { authorization: 'Bearer a b' } });
    expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
  });

  it.each([{}, { authorization: 'Basic Og==' }])('refuses a request without any token: %o', async (headers) => {
    const answer = await server.call('POST', '/token/revoke', { headers });
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
  });

  it('accepts client credentials, which change nothing', async () => {
    const { access_token: token } = tokensOf(await signIn());
    expect((await revoke(form({ token, client_id: 'x', client_secret: 'y' }))).status).toBe(200);
    expect((await readMe(token)).status).toBe(401);
  });
});

describe('POST /token/introspect (RFC 7662)', () => {
  it('tells about a live token', async () => {
    const { token } = await server.aUser('inspector', ['admin']);
    const { access_token: subject } = tokensOf(await signIn());
    const fields = { token: subject, client_id: 'x', client_secret: 'y' };
    const answer = await server.call('POST', '/token/introspect', { token, body: form(fields) });
    expect(answer.json).toMatchObject({ active: true, username: 'alice', iss: issuer });
  });

  it('says nothing but inactive about anything else', async () => {
    const { token } = await server.aUser('inspector2', ['admin']);
    const dead = tokensOf(await signIn());
    await server.auth.revoke(dead.access_token);
    for (const subject of ['garbage', dead.access_token, dead.refresh_token]) {
      const answer = await server.call('POST', '/token/introspect', { token, body: { token: subject } });
      expect(answer).toMatchObject({ status: 200, text: '{"active":false}' });
    }
  });

  it('refuses callers without the scope tokens:introspect', async () => {
    const { token } = await server.aUser('curious');
    const answer = await server.call('POST', '/token/introspect', { token, body: { token } });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('scope="tokens:introspect"');
    expect((await server.call('POST', '/token/introspect', { body: { token } })).status).toBe(401);
  });
});
