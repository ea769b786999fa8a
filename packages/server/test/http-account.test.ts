import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodPassword, openServer, type TestServer } from './http-server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.auth.close());

const register = (body: object | string): ReturnType<TestServer['call']> => server.call('POST', '/register', { body });

describe('POST /register', () => {
  it('creates a user with the role user', async () => {
    const answer = await register({ username: 'bob', password: goodPassword, email: 'bob@example.com' });
    expect(answer).toMatchObject({
      status: 201,
      json: { username: 'bob', email: 'bob@example.com', roles: ['user'], disabled: false },
    });
    expect(Object.keys(answer.json as object)).toEqual(['id', 'username', 'email', 'roles', 'disabled', 'created_at']);
    expect(answer.json).toHaveProperty('id', expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));
  });

  it('takes a form, and gives null for an e-mail address left empty', async () => {
    const answer = await register(new URLSearchParams({ username: 'carol', password: goodPassword, email: '' }));
    expect(answer).toMatchObject({ status: 201, json: { email: null } });
  });

  it('refuses a name that is taken, whatever its case', async () => {
    await register({ username: 'dave', password: goodPassword });
    const answer = await register({ username: 'DAVE', password: goodPassword });
    expect(answer).toMatchObject({ status: 409, json: { code: 'username_taken' } });
  });

  it('refuses an e-mail address that is taken, whatever its case (P14)', async () => {
    await register({ username: 'erin', password: goodPassword, email: 'erin@example.com' });
    const answer = await register({ username: 'erin2', password: goodPassword, email: 'ERIN@example.com' });
    expect(answer).toMatchObject({ status: 409, json: { code: 'email_taken' } });
  });

  it('says why a password is refused', async () => {
    const answer = await register({ username: 'frank', password: 'password' });
    expect(answer).toMatchObject({ status: 422, json: { code: 'password_refused' } });
    expect(answer.json).toHaveProperty('detail', expect.stringMatching(/\w{4}/));
  });

  it('is refused when registration is closed', async () => {
    const closed = await openServer({ registration: 'closed' });
    const answer = await closed.call('POST', '/register', { body: { username: 'gina', password: goodPassword } });
    expect(answer).toMatchObject({ status: 403, json: { code: 'registration_closed' } });
    await closed.auth.close();
  });
});

describe('P13 privileged fields never come from user input', () => {
  const privileged = ['role', 'roles', 'disabled', 'id', 'emailVerified', 'userId', 'created_at', '__proto__'];

  it.each(privileged)('refuses %s at registration, and names it', async (field) => {
    const body = `{"username":"mallory","password":"${goodPassword}","${field}":["admin"]}`;
    expect(await register(body)).toMatchObject({
      status: 422,
      json: { code: 'value_invalid', errors: [{ field, message: 'is not a known field' }] },
    });
  });

  it.each([...privileged, 'password'])('refuses %s in PATCH /me', async (field) => {
    const { token, id } = await server.aUser(`eve-${field.replaceAll('_', '')}`);
    const answer = await server.call('PATCH', '/me', { token, body: `{"${field}":["admin"]}` });
    expect(answer).toMatchObject({ status: 422, json: { errors: [{ field }] } });
    expect((await server.auth.users.get(id)).roles).toEqual(['user']);
  });
});

describe('P14 e-mail addresses', () => {
  it.each([
    ['two addresses', 'a@x.example,b@y.example'],
    ['a quoted local part', '"e@evil.example"@x.example'],
    ['a homoglyph at sign', 'a\uFF20x.example'],
    ['a line break', 'a@x.example\r\nBcc: b@y.example'],
    ['300 characters', `${'a'.repeat(290)}@x.example`],
    ['no domain', 'a@'],
  ])('refuses %s', async (_, email) => {
    const answer = await register({ username: 'henry', password: goodPassword, email });
    expect(answer).toMatchObject({ status: 422, json: { code: 'value_invalid', errors: [{ field: 'email' }] } });
  });
});

describe('/me', () => {
  it('shows the signed-in user and nothing else', async () => {
    const { id, token } = await server.aUser('ivan');
    const answer = await server.call('GET', '/me', { token });
    expect(answer.json).toMatchObject({ id, username: 'ivan', email: null, roles: ['user'], disabled: false });
  });

  it('changes name and e-mail address, and removes the address', async () => {
    const { token } = await server.aUser('judy');
    const changed = await server.call('PATCH', '/me', { token, body: { username: 'judith', email: 'j@example.com' } });
    expect(changed).toMatchObject({ status: 200, json: { username: 'judith', email: 'j@example.com' } });
    const removed = await server.call('PATCH', '/me', { token, body: { email: null } });
    expect(removed.json).toMatchObject({ username: 'judith', email: null });
  });

  describe('P19 changing name or e-mail address', () => {
    let now = new Date();
    let aged: TestServer;
    let token: string;
    beforeAll(async () => {
      // The guard goes by the real clock, so the sign-in lies in the past, and the server catches up.
      now = new Date(Date.now() - 660_000);
      aged = await openServer({ clock: () => now });
      ({ token } = await aged.aUser('old-timer'));
      now = new Date();
    });
    afterAll(() => aged.auth.close());
    const change = (body: object): ReturnType<TestServer['call']> => aged.call('PATCH', '/me', { token, body });

    it('needs more than a token when the sign-in is over ten minutes old', async () => {
      for (const body of [{ username: 'thief' }, { email: 'thief@example.com' }, { email: null }]) {
        expect(await change(body)).toMatchObject({
          status: 403,
          json: { code: 'sign_in_too_old', detail: 'Send current_password, or sign in again' },
        });
      }
    });

    it('refuses a wrong password, even after a recent sign-in', async () => {
      const refused = { status: 403, json: { code: 'credentials_invalid' } };
      expect(await change({ username: 'thief', current_password: 'wrong' })).toMatchObject(refused);
      const fresh = await aged.aUser('newcomer');
      const body = { username: 'thief', current_password: 'wrong' };
      expect(await aged.call('PATCH', '/me', { token: fresh.token, body })).toMatchObject(refused);
    });

    it('takes the current password', async () => {
      const answer = await change({ username: 'renamed', current_password: goodPassword });
      expect(answer).toMatchObject({ status: 200, json: { username: 'renamed' } });
    });
  });

  it('takes JSON only', async () => {
    const { token } = await server.aUser('karl');
    const answer = await server.call('PATCH', '/me', { token, body: new URLSearchParams({ username: 'karla' }) });
    expect(answer).toMatchObject({ status: 415, json: { code: 'media_type_unsupported' } });
  });
});

describe('POST /me/password (P19, S9)', () => {
  const change = (token: string, current: string, next: string): ReturnType<TestServer['call']> =>
    server.call('POST', '/me/password', { token, body: { current_password: current, new_password: next } });
  const nextPassword = 'amber-Walrus-17-lighthouse';

  it('ends every session and starts a new one', async () => {
    const user = await server.aUser('laura');
    const other = await server.auth.tokens.issue(user.id);
    const answer = await change(user.token, goodPassword, nextPassword);
    expect(answer).toMatchObject({ status: 200, json: { token_type: 'Bearer' } });
    const fresh = (answer.json as { access_token: string }).access_token;
    const statuses = [user.token, other.accessToken, fresh].map(
      async (token) => (await server.call('GET', '/me', { token })).status,
    );
    expect(await Promise.all(statuses)).toEqual([401, 401, 200]);
    const refreshed = await server.call('POST', '/token/refresh', { body: { refresh_token: user.refreshToken } });
    expect(refreshed.status).toBe(400);
  });

  it('refuses a wrong current password with 403: the bearer was good', async () => {
    const { token } = await server.aUser('mike');
    const answer = await change(token, 'wrong', nextPassword);
    expect(answer).toMatchObject({ status: 403, json: { code: 'credentials_invalid' } });
  });

  it('refuses a weak new password and leaves everything as it was', async () => {
    const { token } = await server.aUser('nina');
    expect(await change(token, goodPassword, 'password')).toMatchObject({
      status: 422,
      json: { code: 'password_refused' },
    });
    expect((await server.call('GET', '/me', { token })).status).toBe(200);
  });
});

describe('S16 /me/sessions', () => {
  it('lists own sessions with their device and marks the current one', async () => {
    const { id, token, sessionId } = await server.aUser('oscar');
    const headers = { 'user-agent': 'Test/1.0' };
    const body = { username: 'oscar', password: goodPassword };
    await server.call('POST', '/token', { body, headers, info: { address: '203.0.113.7' } });
    const answer = await server.call('GET', '/me/sessions', { token });
    const { items, next_cursor: next } = answer.json as { items: readonly object[]; next_cursor: null };
    expect(items).toHaveLength(2);
    expect(next).toBeNull();
    expect(items).toContainEqual(
      expect.objectContaining({ id: sessionId, current: true, user_agent: null, address: null }),
    );
    expect(items).toContainEqual(
      expect.objectContaining({ current: false, user_agent: 'Test/1.0', address: '203.0.113.7' }),
    );
    expect(JSON.stringify(items)).not.toContain(id);
  });

  it('ends one session of one’s own', async () => {
    const { id, token } = await server.aUser('peggy');
    const other = await server.auth.tokens.issue(id);
    const ended = await server.call('DELETE', `/me/sessions/${other.sessionId}`, { token });
    expect(ended).toMatchObject({ status: 204, text: '' });
    expect((await server.call('GET', '/me', { token: other.accessToken })).status).toBe(401);
    expect((await server.call('GET', '/me', { token })).status).toBe(200);
  });

  it('finds no session of somebody else', async () => {
    const [mine, theirs] = [await server.aUser('quinn'), await server.aUser('rita')];
    const answer = await server.call('DELETE', `/me/sessions/${theirs.sessionId}`, { token: mine.token });
    expect(answer).toMatchObject({ status: 404, json: { code: 'session_not_found' } });
    expect((await server.call('GET', '/me', { token: theirs.token })).status).toBe(200);
  });

  it('ends all of them, the current one included', async () => {
    const { id, token } = await server.aUser('steve');
    await server.auth.tokens.issue(id);
    expect((await server.call('DELETE', '/me/sessions', { token })).json).toEqual({ revoked: 2 });
    expect((await server.call('GET', '/me', { token })).status).toBe(401);
  });
});
