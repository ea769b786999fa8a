import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodPassword, openServer, type SignedIn, type TestServer } from './http-server.ts';

let server: TestServer;
let admin: SignedIn;

beforeAll(async () => {
  server = await openServer();
  admin = await server.aUser('root', ['admin']);
});
afterAll(() => server.auth.close());

const asAdmin = (method: string, path: string, body?: object): ReturnType<TestServer['call']> =>
  server.call(method, path, { token: admin.token, ...(body === undefined ? {} : { body }) });

describe('/roles', () => {
  it('lists the built-in roles', async () => {
    const { items } = (await asAdmin('GET', '/roles')).json as { items: object[] };
    expect(items).toContainEqual({ name: 'admin', scopes: ['*'], built_in: true });
    expect(items).toContainEqual(expect.objectContaining({ name: 'user', built_in: true }));
  });

  it('defines, redefines and deletes a role', async () => {
    const scopes = ['todos:read', 'todos:write'];
    expect(await asAdmin('PUT', '/roles/editor', { scopes })).toMatchObject({
      status: 200,
      json: { name: 'editor', scopes, built_in: false },
    });
    expect((await asAdmin('PUT', '/roles/editor', { scopes: ['todos:read'] })).json).toMatchObject({
      scopes: ['todos:read'],
    });
    expect((await asAdmin('DELETE', '/roles/editor')).status).toBe(204);
    expect(await asAdmin('DELETE', '/roles/editor')).toMatchObject({ status: 404, json: { code: 'role_not_found' } });
  });

  it('acts at once on tokens already issued (S9)', async () => {
    await asAdmin('PUT', '/roles/reader', { scopes: ['users:read'] });
    const { token } = await server.aUser('rene', ['reader']);
    expect((await server.call('GET', '/users', { token })).status).toBe(200);
    await asAdmin('PUT', '/roles/reader', { scopes: [] });
    expect((await server.call('GET', '/users', { token })).status).toBe(403);
  });

  it.each(['PUT', 'DELETE'])('leaves admin as it is (%s)', async (method) => {
    const answer = await asAdmin(method, '/roles/admin', method === 'PUT' ? { scopes: [] } : undefined);
    const detail = 'The role admin is built in and cannot be changed or deleted';
    expect(answer).toMatchObject({ status: 409, json: { code: 'role_built_in', detail } });
  });

  it('changes user, and does not delete it', async () => {
    expect((await asAdmin('PUT', '/roles/user', { scopes: [] })).status).toBe(200);
    const detail = 'The role user is built in and cannot be deleted';
    expect(await asAdmin('DELETE', '/roles/user')).toMatchObject({ status: 409, json: { detail } });
  });

  it.each(['PUT', 'DELETE'])('refuses names that no role can have as the field name (%s)', async (method) => {
    for (const name of ['-x', 'a%20b', 'a%0Ab', 'x'.repeat(65), '%C3%A9']) {
      const answer = await asAdmin(method, `/roles/${name}`, method === 'PUT' ? { scopes: [] } : undefined);
      expect(answer).toMatchObject({ status: 422, json: { errors: [{ field: 'name' }] } });
    }
  });

  it('takes the same names as the engine', async () => {
    for (const name of ['a', 'A.b-c_9', 'x'.repeat(64)]) {
      expect((await asAdmin('PUT', `/roles/${name}`, { scopes: [] })).status).toBe(200);
    }
  });

  it.each([
    ['a scope with a space', '/roles/editor', { scopes: ['a b'] }],
    ['a scope that is no text', '/roles/editor', { scopes: [1] }],
    ['no scopes', '/roles/editor', {}],
    ['a role name with a slash', '/roles/a%2Fb', { scopes: [] }],
    ['a role name with a line break', '/roles/a%0Ab', { scopes: [] }],
  ])('refuses %s', async (_, path, body) => {
    expect(await asAdmin('PUT', path, body)).toMatchObject({ status: 422, json: { code: 'value_invalid' } });
  });
});

describe('S17 roles:write defines no more than it holds', () => {
  it.each([
    ['PUT', '/roles/mine', { scopes: ['users:write'] }],
    ['PUT', '/roles/mine', { scopes: ['*'] }],
    ['PUT', '/roles/strong', { scopes: [] }],
    ['DELETE', '/roles/strong', undefined],
  ])('%s %s %o', async (method, path, body) => {
    await server.auth.roles.set('strong', ['users:write']);
    await server.auth.roles.set('role-keeper', ['roles:*', 'todos:*']);
    const { token } = await server.aUser(`keeper-${Math.random().toString(36).slice(2)}`, ['role-keeper']);
    const answer = await server.call(method, path, { token, ...(body === undefined ? {} : { body }) });
    expect(answer).toMatchObject({ status: 403, json: { code: 'insufficient_scope' } });
  });

  it.each([
    ['PUT', { scopes: ['todos:read'] }],
    ['DELETE', undefined],
  ])('leaves roles without scopes to those who have them: %s', async (method, body) => {
    await server.auth.roles.set('publisher', []);
    await server.auth.roles.set('role-keeper', ['roles:*', 'todos:*']);
    const stranger = await server.aUser(`stranger-${method.toLowerCase()}`, ['role-keeper']);
    const holder = await server.aUser(`holder-${method.toLowerCase()}`, ['role-keeper', 'publisher']);
    const call = ({ token }: SignedIn): ReturnType<TestServer['call']> =>
      server.call(method, '/roles/publisher', { token, ...(body === undefined ? {} : { body }) });
    expect(await call(stranger)).toMatchObject({ status: 403, json: { code: 'insufficient_scope' } });
    expect((await call(holder)).status).toBeLessThan(300);
  });

  it('does not let roles:write give everybody what it lacks, by way of the role user', async () => {
    await server.auth.roles.set('role-keeper', ['roles:*', 'todos:*']);
    const { token } = await server.aUser('keeper-of-user', ['role-keeper']);
    const put = (scopes: readonly string[]): ReturnType<TestServer['call']> =>
      server.call('PUT', '/roles/user', { token, body: { scopes } });
    expect((await put(['*'])).status).toBe(403);
    expect((await put(['todos:read'])).status).toBe(200);
    expect((await put([])).status).toBe(200);
  });

  it('may hand on what it holds, wildcards included', async () => {
    await server.auth.roles.set('role-keeper', ['roles:*', 'todos:*']);
    const { token } = await server.aUser('keeper', ['role-keeper']);
    const answer = await server.call('PUT', '/roles/todo-reader', {
      token,
      body: { scopes: ['todos:read', 'todos:*'] },
    });
    expect(answer.status).toBe(200);
  });
});

describe('/keys', () => {
  it('lists and rotates, and never shows a key (K1, K7)', async () => {
    const created = await asAdmin('POST', '/keys/rotate');
    expect(created).toMatchObject({ status: 201, json: { stage: 'next', algorithm: 'ES256' } });
    const { items } = (await asAdmin('GET', '/keys')).json as { items: { stage: string }[] };
    expect(items.map(({ stage }) => stage).toSorted()).toEqual(['current', 'next']);
    const published = await server.call('GET', '/.well-known/jwks.json');
    expect((published.json as { keys: object[] }).keys).toHaveLength(2);
    expect(published.text).not.toMatch(/"(d|p|q|dp|dq|qi|k)":/);
  });

  it('K3 revokes one that somebody else may have: tokens it signed are refused at once, the next refresh brings a good one', async () => {
    const own = await openServer();
    const { id } = await own.auth.users.create({ username: 'root', password: goodPassword, roles: ['admin'] });
    const { accessToken: token, refreshToken } = await own.auth.tokens.issue(id);
    const [key] = await own.auth.keys.list();
    const unknown = await own.call('POST', '/keys/nobody/revoke', { token });
    expect(unknown).toMatchObject({ status: 404, json: { code: 'key_not_found' } });
    const revoked = await own.call('POST', `/keys/${key?.keyId ?? ''}/revoke`, { token });
    expect(revoked).toMatchObject({ status: 200, json: { id: key?.keyId, stage: 'compromised' } });
    expect((await own.call('GET', '/me', { token })).json).toMatchObject({ detail: 'Could not validate credentials' });
    const renewed = await own.auth.refresh({ refreshToken });
    expect((await own.call('GET', '/me', { token: renewed.accessToken })).status).toBe(200);
    await own.auth.close();
  });
});

describe('every guarded route refuses those without the right (B1, B3, S17)', () => {
  const rows = [
    ['POST', '/token/introspect', 'tokens:introspect'],
    ['GET', '/users', 'users:read'],
    ['POST', '/users', 'users:write'],
    ['GET', '/users/x', 'users:read'],
    ['PATCH', '/users/x', 'users:write'],
    ['DELETE', '/users/x', 'users:write'],
    ['PUT', '/users/x/roles', 'users:write'],
    ['POST', '/users/x/disable', 'users:write'],
    ['POST', '/users/x/enable', 'users:write'],
    ['GET', '/users/x/sessions', 'users:read'],
    ['DELETE', '/users/x/sessions', 'users:write'],
    ['GET', '/roles', 'roles:read'],
    ['PUT', '/roles/x', 'roles:write'],
    ['DELETE', '/roles/x', 'roles:write'],
    ['GET', '/keys', 'keys:read'],
    ['POST', '/keys/rotate', 'keys:write'],
    ['POST', '/keys/x/revoke', 'keys:write'],
  ] as const;

  it.each(rows)('%s %s needs %s', async (method, path, scope) => {
    const everythingElse = rows.map(([, , other]) => other).filter((other) => other !== scope);
    const role = `all-but-${scope.replace(':', '-')}`;
    await server.auth.roles.set(role, [...new Set(everythingElse)]);
    const { token } = await server.aUser(`u-${Math.random().toString(36).slice(2)}`, [role]);
    const refused = await server.call(method, path, { token });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toContain(`error="insufficient_scope"`);
    expect(refused.headers.get('www-authenticate')).toContain(`scope="${scope}"`);
    const anonymous = await server.call(method, path);
    expect(anonymous).toMatchObject({ status: 401, json: { detail: 'Not authenticated' } });
    expect(anonymous.headers.get('www-authenticate')).toMatch(/^Bearer realm="[^"]+"$/);
  });

  it.each([
    ['GET', '/me'],
    ['PATCH', '/me'],
    ['POST', '/me/password'],
    ['GET', '/me/sessions'],
    ['DELETE', '/me/sessions'],
    ['DELETE', '/me/sessions/x'],
  ])('%s %s needs a signed-in user', async (method, path) => {
    expect((await server.call(method, path)).status).toBe(401);
    expect((await server.call(method, path, { token: 'garbage' })).json).toMatchObject({
      detail: 'Could not validate credentials',
    });
  });
});
