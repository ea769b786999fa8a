import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodPassword, openServer, type SignedIn, type TestServer } from './http-server.ts';

let server: TestServer;
let admin: SignedIn;

beforeAll(async () => {
  server = await openServer();
  await server.auth.roles.set('auditor', ['audit:read']);
  await server.auth.roles.set('helpdesk', ['users:read', 'users:write']);
  admin = await server.aUser('root', ['admin']);
});
afterAll(() => server.auth.close());

const asAdmin = (method: string, path: string, body?: object): ReturnType<TestServer['call']> =>
  server.call(method, path, { token: admin.token, ...(body === undefined ? {} : { body }) });

describe('GET /users', () => {
  it('goes through the users page by page', async () => {
    for (const name of ['page1', 'page2', 'page3']) await server.aUser(name);
    const names: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await asAdmin('GET', `/users?limit=2&q=page&cursor=${encodeURIComponent(cursor)}`);
      const { items, next_cursor: next } = page.json as { items: { username: string }[]; next_cursor: string | null };
      names.push(...items.map(({ username }) => username));
      cursor = next;
    }
    expect(names).toEqual(['page1', 'page2', 'page3']);
  });

  it.each([
    'limit=0',
    'limit=-1',
    `q=${'x'.repeat(101)}`,
    'q=a&q=b',
    'q=%zz',
    'limit=101',
    'limit=ten',
    'limit=1e1',
    'limit=1.5',
    'limit=0x10',
    'limit=1&limit=2',
    'cursor=%00',
    'cursor=%FF',
    'cursor=garbage',
    'sort=name',
  ])('refuses ?%s', async (query) => {
    const answer = await asAdmin('GET', `/users?${query}`);
    expect(answer).toMatchObject({ status: 400, json: { code: 'query_invalid' } });
  });

  it('names the parameter that only the engine can judge, too', async () => {
    const answer = await asAdmin('GET', '/users?cursor=garbage');
    expect(answer.json).toMatchObject({ errors: [{ field: 'cursor' }] });
  });

  it.each(['ten', '1.5', '1.5e300', '-0.5'])('has one complaint about limit=%s', async (limit) => {
    const { json } = await asAdmin('GET', `/users?limit=${limit}`);
    expect(json).toMatchObject({ errors: [{ field: 'limit', message: 'must be a whole number from 1 to 100' }] });
  });

  it('says which part of the query is wrong', async () => {
    const answer = await asAdmin('GET', '/users?limit=500&sort=name');
    expect(answer.json).toMatchObject({
      errors: [
        { field: 'limit', message: 'must be a whole number from 1 to 100' },
        { field: 'sort', message: 'is not a known field' },
      ],
    });
  });
});

describe('administration of users', () => {
  it('creates, shows, changes and deletes a user', async () => {
    const created = await asAdmin('POST', '/users', { username: 'worker', password: goodPassword, roles: ['auditor'] });
    expect(created).toMatchObject({ status: 201, json: { username: 'worker', roles: ['auditor'] } });
    const { id } = created.json as { id: string };
    expect((await asAdmin('GET', `/users/${id}`)).json).toEqual(created.json);
    const changed = await asAdmin('PATCH', `/users/${id}`, { email: 'w@example.com' });
    expect(changed.json).toMatchObject({ username: 'worker', email: 'w@example.com' });
    expect((await asAdmin('DELETE', `/users/${id}`)).status).toBe(204);
    expect(await asAdmin('GET', `/users/${id}`)).toMatchObject({ status: 404, json: { code: 'user_not_found' } });
  });

  it('gives new users the role user unless told otherwise', async () => {
    const created = await asAdmin('POST', '/users', { username: 'plain', password: goodPassword });
    expect(created.json).toMatchObject({ roles: ['user'] });
  });

  it.each(['POST', 'PUT'] as const)('names a role that does not exist (%s)', async (method) => {
    const { id } = await server.aUser(`roleless-${method.toLowerCase()}`);
    const body = { roles: ['user', 'ghost'] };
    const answer =
      method === 'PUT'
        ? await asAdmin('PUT', `/users/${id}/roles`, body)
        : await asAdmin('POST', '/users', { ...body, username: 'haunted', password: goodPassword });
    expect(answer).toMatchObject({ status: 422, json: { errors: [{ field: 'roles.1', message: 'is not a role' }] } });
  });

  it('keeps the last administrator (S18)', async () => {
    const refused = { status: 409, json: { code: 'last_administrator' } };
    expect(await asAdmin('PUT', `/users/${admin.id}/roles`, { roles: ['user'] })).toMatchObject(refused);
    expect(await asAdmin('POST', `/users/${admin.id}/disable`)).toMatchObject(refused);
    expect(await asAdmin('DELETE', `/users/${admin.id}`)).toMatchObject(refused);
  });

  it('cannot set a password', async () => {
    const { id } = await server.aUser('unresettable');
    expect((await asAdmin('PATCH', `/users/${id}`, { password: goodPassword })).status).toBe(422);
  });
});

describe('S9 changes end or update sessions at once', () => {
  it('refuses the very next request of a disabled user, and signs nobody in again until enabled', async () => {
    const user = await server.aUser('dora');
    expect(await asAdmin('POST', `/users/${user.id}/disable`)).toMatchObject({ status: 200, json: { disabled: true } });
    expect((await server.call('GET', '/me', { token: user.token })).json).toMatchObject({
      detail: 'Token has been revoked',
    });
    const body = { username: 'dora', password: goodPassword };
    expect((await server.call('POST', '/token', { body })).status).toBe(401);
    expect(await asAdmin('POST', `/users/${user.id}/enable`)).toMatchObject({ json: { disabled: false } });
    expect((await server.call('POST', '/token', { body })).status).toBe(200);
  });

  it('refuses the tokens of a deleted user', async () => {
    const user = await server.aUser('edgar');
    await asAdmin('DELETE', `/users/${user.id}`);
    expect((await server.call('GET', '/me', { token: user.token })).status).toBe(401);
    const refreshed = await server.call('POST', '/token/refresh', { body: { refresh_token: user.refreshToken } });
    expect(refreshed.status).toBe(400);
  });

  it('takes an administrator’s rights away from tokens already issued, and no refresh brings them back', async () => {
    const demoted = await server.aUser('former-admin', ['admin']);
    expect((await server.call('GET', '/users', { token: demoted.token })).status).toBe(200);
    await asAdmin('PUT', `/users/${demoted.id}/roles`, { roles: ['user'] });
    expect((await server.call('GET', '/users', { token: demoted.token })).status).toBe(403);
    const refreshed = await server.call('POST', '/token/refresh', { body: { refresh_token: demoted.refreshToken } });
    const { access_token: token } = refreshed.json as { access_token: string };
    expect((await server.call('GET', '/users', { token })).status).toBe(403);
  });

  it('gives rights to tokens already issued', async () => {
    const promoted = await server.aUser('promoted');
    await asAdmin('PUT', `/users/${promoted.id}/roles`, { roles: ['helpdesk'] });
    expect((await server.call('GET', '/users', { token: promoted.token })).status).toBe(200);
  });
});

describe('/users/{id}/sessions', () => {
  it('lists and ends them', async () => {
    const user = await server.aUser('fiona');
    expect((await asAdmin('GET', `/users/${user.id}/sessions`)).json).toEqual({
      items: [expect.objectContaining({ id: user.sessionId, current: false })],
      next_cursor: null,
    });
    expect((await asAdmin('DELETE', `/users/${user.id}/sessions`)).json).toEqual({ revoked: 1 });
    expect((await server.call('GET', '/me', { token: user.token })).status).toBe(401);
  });

  it.each(['GET', 'DELETE'])('finds no user behind an unknown id (%s)', async (method) => {
    expect((await asAdmin(method, '/users/nobody/sessions')).status).toBe(404);
  });
});

describe('S17 nobody reaches above their own rights', () => {
  let helpdesk: SignedIn;
  let otherAdmin: SignedIn;
  beforeAll(async () => {
    helpdesk = await server.aUser('helpdesk-1', ['helpdesk']);
    otherAdmin = await server.aUser('root-2', ['admin']);
  });
  const asHelpdesk = (method: string, path: string, body?: object): ReturnType<TestServer['call']> =>
    server.call(method, path, { token: helpdesk.token, ...(body === undefined ? {} : { body }) });
  const refused = { status: 403, json: { code: 'insufficient_scope' } };

  it('does not let users:write create an administrator', async () => {
    const body = { username: 'sneaky', password: goodPassword, roles: ['admin'] };
    const answer = await asHelpdesk('POST', '/users', body);
    expect(answer).toMatchObject(refused);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  it('does not let users:write make itself an administrator', async () => {
    expect(await asHelpdesk('PUT', `/users/${helpdesk.id}/roles`, { roles: ['admin'] })).toMatchObject(refused);
  });

  it('does not let users:write give any scope it lacks', async () => {
    const { id } = await server.aUser('greta');
    expect(await asHelpdesk('PUT', `/users/${id}/roles`, { roles: ['auditor'] })).toMatchObject(refused);
  });

  it.each([
    ['PATCH', '', { email: 'taken-over@example.com' }],
    ['PUT', '/roles', { roles: ['user'] }],
    ['POST', '/disable', undefined],
    ['POST', '/enable', undefined],
    ['DELETE', '', undefined],
    ['DELETE', '/sessions', undefined],
  ])('does not let users:write touch an administrator: %s /users/{id}%s', async (method, suffix, body) => {
    expect(await asHelpdesk(method, `/users/${otherAdmin.id}${suffix}`, body)).toMatchObject(refused);
    expect((await server.call('GET', '/users', { token: otherAdmin.token })).status).toBe(200);
  });

  describe('a role without scopes', () => {
    beforeAll(() => server.auth.roles.set('publisher', []));

    it('is not for users:write to give', async () => {
      const { id } = await server.aUser('reader');
      expect(await asHelpdesk('PUT', `/users/${id}/roles`, { roles: ['user', 'publisher'] })).toMatchObject(refused);
      expect(await asHelpdesk('PUT', `/users/${helpdesk.id}/roles`, { roles: ['publisher'] })).toMatchObject(refused);
      const body = { username: 'published', password: goodPassword, roles: ['publisher'] };
      expect(await asHelpdesk('POST', '/users', body)).toMatchObject(refused);
    });

    it('is not for users:write to take', async () => {
      const { id } = await server.aUser('publisher-1', ['publisher']);
      expect(await asHelpdesk('PUT', `/users/${id}/roles`, { roles: ['user'] })).toMatchObject(refused);
      expect(await asHelpdesk('DELETE', `/users/${id}`)).toMatchObject(refused);
    });

    it('can be given by users:write that has it, and by an administrator', async () => {
      const { id } = await server.aUser('publisher-2');
      const publisher = await server.aUser('helpdesk-3', ['helpdesk', 'publisher']);
      const path = `/users/${id}/roles`;
      const body = { roles: ['publisher'] };
      expect((await server.call('PUT', path, { token: publisher.token, body })).status).toBe(200);
      expect((await asAdmin('PUT', path, { roles: ['user', 'publisher'] })).status).toBe(200);
    });
  });

  it('lets users:write look after ordinary users and its equals', async () => {
    expect((await asHelpdesk('POST', '/users', { username: 'harry', password: goodPassword })).status).toBe(201);
    const { id } = await server.aUser('helpdesk-2', ['helpdesk']);
    expect((await asHelpdesk('PUT', `/users/${id}/roles`, { roles: ['user'] })).status).toBe(200);
    expect((await asHelpdesk('POST', `/users/${id}/disable`)).status).toBe(200);
  });

  it('judges by what the token may do, not by what its user may do', async () => {
    const { accessToken: token } = await server.auth.tokens.issue(admin.id, { scope: 'users:write' });
    const answer = await server.call('POST', `/users/${otherAdmin.id}/disable`, { token });
    expect(answer).toMatchObject(refused);
  });
});
