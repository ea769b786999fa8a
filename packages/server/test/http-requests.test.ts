import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, openServer, type TestServer } from './http-server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.auth.close());

const post = (body: string, contentType: string, path = '/register'): Promise<Answer> =>
  server.call('POST', path, { body, headers: { 'content-type': contentType } });

describe('P12 bodies are typed, bounded and strict', () => {
  it.each([
    ['text/plain', '{"username":"a","password":"b"}'],
    ['application/xml', '<a/>'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/json; charset=utf-16', '{}'],
    ['application/problem+json', '{}'],
    ['', '{}'],
  ])('refuses %j with 415', async (contentType, body) => {
    const expected = { status: 415, json: { code: 'media_type_unsupported' } };
    expect(await post(body, contentType)).toMatchObject(expected);
  });

  it('refuses compressed bodies', async () => {
    const headers = { 'content-encoding': 'gzip' };
    expect((await server.call('POST', '/register', { body: '{}', headers })).status).toBe(415);
  });

  it.each([
    ['broken JSON', '{"username":'],
    ['a repeated member', '{"username":"a","username":"b"}'],
    ['a member repeated by escapes', String.raw`{"username":"a","\u0075sername":"b"}`],
    ['a list', '[]'],
    ['text', '"text"'],
    ['null', 'null'],
    ['two values', '{}{}'],
    ['a byte order mark', '\uFEFF{}'],
    ['a lone surrogate', String.raw`{"username":"\ud800"}`],
    ['deep nesting', '['.repeat(30_000)],
  ])('refuses %s with 400', async (_, body) => {
    expect(await post(body, 'application/json')).toMatchObject({ status: 400, json: { code: 'body_malformed' } });
  });

  it.each([
    ['a repeated field', 'username=a&username=b'],
    ['a field repeated by percent-encoding', 'username=a&%75sername=b'],
    ['a broken percent-encoding', 'username=%zz'],
    ['invalid UTF-8', 'username=%ff'],
  ])('refuses a form with %s with 400', async (_, body) => {
    const expected = { status: 400, json: { code: 'body_malformed' } };
    expect(await post(body, 'application/x-www-form-urlencoded')).toMatchObject(expected);
  });

  it('refuses a missing body with 400', async () => {
    expect(await server.call('POST', '/register')).toMatchObject({ status: 400, json: { code: 'body_malformed' } });
  });

  it.each([
    ['an object where text belongs', { username: { $ne: 1 }, password: 'x' }, 'username', 'must be text'],
    ['a list where text belongs', { username: ['a'], password: 'x' }, 'username', 'must be text'],
    ['null where text belongs', { username: null, password: 'x' }, 'username', 'must be text'],
    ['a missing field', { username: 'a' }, 'password', 'is required'],
    ['an empty field', { username: 'a', password: '' }, 'password', 'must not be empty'],
    ['a control character', { username: 'a\u0000b', password: 'x' }, 'username', 'has the wrong form'],
    ['a password of 10,000 characters', { username: 'a', password: 'x'.repeat(10_000) }, 'password', 'is too long'],
  ])('names the field with %s', async (_, body, field, message) => {
    const answer = await server.call('POST', '/register', { body });
    expect(answer).toMatchObject({ status: 422, json: { code: 'value_invalid', errors: [{ field, message }] } });
  });

  it('lists every wrong field at once, and never more than 20', async () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, 1]));
    const answer = await server.call('POST', '/register', { body: { username: 1, ...many } });
    const { errors } = answer.json as { errors: { field: string }[] };
    expect(errors).toHaveLength(20);
    expect(errors.map(({ field }) => field)).toEqual(expect.arrayContaining(['username', 'password', 'field0']));
  });

  it('does not repeat long field names', async () => {
    const answer = await server.call('POST', '/register', { body: { ['x'.repeat(10_000)]: 1 } });
    expect(answer.text.length).toBeLessThan(600);
  });

  it('lists one error for each field', async () => {
    const answer = await server.call('POST', '/register', { body: { username: `\u0000${'x'.repeat(2000)}` } });
    const { errors } = answer.json as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(['username', 'password']);
  });

  it.each([
    ['DELETE', '/users/x', '{"purge":true}'],
    ['POST', '/users/x/disable', '{"disabled":false}'],
    ['POST', '/keys/rotate', new URLSearchParams({ algorithm: 'none' })],
    ['DELETE', '/me/sessions', 'text'],
  ])('refuses a body where none is read: %s %s', async (method, path, body) => {
    const { token } = await server.aUser(`body-${path.replaceAll('/', '-').slice(1)}`, ['admin']);
    expect(await server.call(method, path, { token, body })).toMatchObject({
      status: 400,
      json: { code: 'body_malformed', detail: 'This operation takes no body' },
    });
    expect((await server.call('GET', '/me', { token })).status).toBe(200);
  });

  it('does not mind the content type of no body', async () => {
    const { token } = await server.aUser('bodyless', ['admin']);
    const headers = { 'content-type': 'application/json' };
    expect((await server.call('POST', '/keys/rotate', { token, headers })).status).toBe(201);
  });

  it('refuses more than 64 KiB, whether announced or chunked', async () => {
    const large = JSON.stringify({ username: 'a', password: 'x'.repeat(70_000) });
    expect(await post(large, 'application/json')).toMatchObject({ status: 413, json: { code: 'body_too_large' } });
    expect(await server.call('POST', '/token', { body: large })).toMatchObject({
      status: 413,
      json: { error: 'invalid_request' },
    });
  });
});

describe('paths and methods', () => {
  it('answers an unknown path with a problem', async () => {
    const answer = await server.call('GET', '/nothing');
    expect(answer).toMatchObject({ status: 404, json: { type: 'about:blank', title: 'Not Found', code: 'not_found' } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it.each([
    ['GET', '/token', 'POST'],
    ['POST', '/me', 'GET, HEAD, PATCH'],
    ['PUT', '/users/x', 'GET, HEAD, PATCH, DELETE'],
    ['DELETE', '/livez', 'GET, HEAD'],
    ['OPTIONS', '/me', 'GET, HEAD, PATCH'],
    ['PROPFIND', '/me', 'GET, HEAD, PATCH'],
  ])('answers %s %s with 405 and what it allows', async (method, path, allow) => {
    const answer = await server.call(method, path);
    expect(answer).toMatchObject({ status: 405, json: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')).toBe(allow);
  });

  it('answers HEAD like GET, without a body and no less guarded (B7)', async () => {
    const { token } = await server.aUser('head');
    expect(await server.call('HEAD', '/me', { token })).toMatchObject({ status: 200, text: '' });
    expect((await server.call('HEAD', '/me')).status).toBe(401);
    expect((await server.call('HEAD', '/users', { token })).status).toBe(403);
  });

  it.each(['//me', '/me/', '/ME', '/%6De', '/me;x', '/me%2f', '/./me', '/x/../me', '/me%00', '/me?x', '/me#x'])(
    'never shows an account without a token, however the path is spelt: %s (B7)',
    async (path) => {
      expect([401, 404]).toContain((await server.call('GET', path)).status);
    },
  );

  it.each(['/%', '/users/%', '/users/%ff', '/users/%E0%A4%A', '/me/sessions/%00', '/docs/%2e%2e%2fpackage.json'])(
    'never answers 500 to a malformed path: %s (S20)',
    async (path) => {
      const { token } = await server.aUser(`path-${Math.random().toString(36).slice(2)}`, ['admin']);
      const { status } = await server.call('GET', path, { token });
      expect([400, 404, 405, 422]).toContain(status);
    },
  );
});

describe('bearer tokens (RFC 6750)', () => {
  it.each(['Bearer', 'Bearer a b', 'Bearer  a', 'Bearer a, Bearer b'])(
    'B2 refuses %j with 400',
    async (authorization) => {
      const answer = await server.call('GET', '/me', { headers: { authorization } });
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    },
  );

  it('B4 does not take a token from the query', async () => {
    const { token } = await server.aUser('query');
    expect((await server.call('GET', `/me?access_token=${token}`)).status).toBe(401);
    expect((await server.call('GET', `/me?access_token=${token}`, { token })).status).toBe(400);
  });

  it('B5 takes the scheme in any case', async () => {
    const { token } = await server.aUser('case');
    expect((await server.call('GET', '/me', { headers: { authorization: `bEARER ${token}` } })).status).toBe(200);
  });

  it('B8 grants nothing to forwarding headers', async () => {
    const headers = {
      'x-original-url': '/livez',
      'x-forwarded-uri': '/livez',
      'x-user-id': '1',
      'x-http-method-override': 'GET',
    };
    expect((await server.call('GET', '/me', { headers })).status).toBe(401);
  });

  it('B10 keeps parallel requests apart', async () => {
    const users = await Promise.all(['p1', 'p2', 'p3', 'p4'].map((name) => server.aUser(name)));
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const user = users[index % users.length];
        const answer = await server.call('GET', '/me', { token: user?.token ?? '' });
        return (answer.json as { id: string }).id === user?.id;
      }),
    );
    expect(new Set(answers)).toEqual(new Set([true]));
  });
});
