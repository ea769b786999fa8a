import { type FeedCursor, formatCursor } from '@sallyport/auth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, issuer, openServer, type TestServer } from './http-server.ts';

let server: TestServer;
let credential: string;
let cursor: string;
beforeEach(async () => {
  server = await openServer();
  ({ credential } = await server.auth.feed.credentials.create('todos'));
  cursor = await cursorNow();
});
afterEach(() => server.auth.close());

async function cursorNow(): Promise<string> {
  const { incarnation, head } = await server.auth.changes.readSince(0);
  const now: FeedCursor = { incarnation, sequence: head };
  return formatCursor(now);
}

const poll = (query: string, token = credential): Promise<Answer> =>
  server.call('GET', `/feed?guard=guard-number-1&lease=30&poll=0${query}`, { token });

describe('who may follow the feed', () => {
  it.each(['/feed?guard=guard-number-1&lease=30', '/feed/snapshot'])('GET %s needs a feed credential', async (path) => {
    const { token } = await server.aUser('root', ['admin']);
    const missing = await server.call('GET', path);
    expect(missing).toMatchObject({ status: 401, json: { code: 'feed_credential_missing' } });
    expect(missing.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}"`);
    for (const wrong of [
      token,
      'x',
      `${credential.slice(0, -1)}~`,
      `${credential.slice(0, -2)}__`,
      credential.toUpperCase(),
    ]) {
      const refused = await server.call('GET', path, { token: wrong });
      expect(refused).toMatchObject({ status: 401, json: { code: 'feed_credential_invalid' } });
      expect(refused.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}", error="invalid_token"`);
    }
  });

  it('a credential opens nothing but the feed and introspection', async () => {
    for (const path of ['/me', '/users', '/keys']) {
      expect(await server.call('GET', path, { token: credential })).toMatchObject({
        status: 401,
        json: { code: 'token_invalid' },
      });
    }
  });

  it('a revoked credential is refused at once', async () => {
    expect((await poll(`&cursor=${cursor}`)).status).toBe(200);
    await server.auth.feed.credentials.revoke('todos');
    expect((await poll(`&cursor=${cursor}`)).status).toBe(401);
    expect((await server.call('GET', '/feed/snapshot', { token: credential })).status).toBe(401);
  });
});

describe('GET /feed, polled', () => {
  it('tells what came after the cursor, by the words of the protocol', async () => {
    await server.auth.roles.set('editor', ['todos:write']);
    const { status, json, headers } = await poll(`&cursor=${cursor}`);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(json).toEqual({
      v: 1,
      min: 1,
      inc: cursor.split('.')[0],
      head: 3,
      hash_key: expect.stringMatching(/^[\da-f]{16}$/) as string,
      token_lifetime: 900,
      node: expect.stringMatching(/^[\w-]{11}$/) as string,
      age: expect.any(Number) as number,
      resync: false,
      entries: [[3, 7, 'editor', 0, 1, { scopes: ['todos:write'] }]],
    });
  });

  it('sends for the snapshot without a cursor that can be continued', async () => {
    const [incarnation = ''] = cursor.split('.');
    for (const query of ['', '&cursor=another.2', `&cursor=${incarnation}.9007199254740991`]) {
      expect((await poll(query)).json).toMatchObject({ resync: true, entries: [] });
    }
  });

  it.each([
    '&cursor=',
    '&cursor=2',
    '&cursor=a.b',
    '&cursor=a.-1',
    '&cursor=a.1.2',
    '&cursor=a.9007199254740992',
    '&cursor=a.99999999999999999',
    `&cursor=${'a'.repeat(65)}.1`,
    '&cursor=..%2f.1',
    '&cursor=a.1&cursor=a.2',
    '&since=1',
  ])('refuses the query %s', async (query) => {
    const { status, json } = await poll(query);
    // An empty value counts as none.
    if (query === '&cursor=') expect(json).toMatchObject({ resync: true });
    else expect({ status, json }).toMatchObject({ status: 400, json: { code: 'query_invalid' } });
  });

  it.each([
    'lease=30&poll=0',
    'guard=guard-number-1&poll=0',
    'guard=short&lease=30&poll=0',
    'guard=guard%20number%201&lease=30&poll=0',
    `guard=${'g'.repeat(65)}&lease=30&poll=0`,
    'guard=guard-number-1&lease=0&poll=0',
    'guard=guard-number-1&lease=86401&poll=0',
    'guard=guard-number-1&lease=1e3&poll=0',
    'guard=guard-number-1&lease=30&poll=26',
    'guard=guard-number-1&lease=30&poll=-1',
    'guard=guard-number-1&lease=30&poll=0.5',
  ])('refuses the query %s', async (query) => {
    const answer = await server.call('GET', `/feed?${query}`, { token: credential });
    expect(answer).toMatchObject({ status: 400, json: { code: 'query_invalid' } });
  });
});

describe('GET /feed/snapshot', () => {
  it('is answered once for each position of the log', async () => {
    const first = await server.call('GET', '/feed/snapshot', { token: credential });
    expect(first.status).toBe(200);
    expect(first.headers.get('content-type')).toBe('application/vnd.sallyport.feed-snapshot');
    expect(first.headers.get('etag')).toBe(`"${cursor}"`);
    expect(first.headers.get('x-age')).toMatch(/^\d+$/);
    expect(first.text).toMatch(/^SPF1/);
    const headers = { 'if-none-match': `W/"x", "${cursor}"` };
    const again = await server.call('GET', '/feed/snapshot', { token: credential, headers });
    expect(again).toMatchObject({ status: 304, text: '' });
    expect(again.headers.get('x-age')).toMatch(/^\d+$/);
    await server.auth.roles.set('editor', []);
    expect((await server.call('GET', '/feed/snapshot', { token: credential, headers })).status).toBe(200);
  });
});

describe('POST /feed/ping', () => {
  const ping = (body: object): Promise<Answer> => server.call('POST', '/feed/ping', { token: credential, body });

  it('is answered 410 where the stream is not', async () => {
    const answer = await ping({ guard: 'guard-number-1', n: 1, cursor });
    expect(answer).toMatchObject({ status: 410, json: { code: 'feed_stream_elsewhere' } });
  });

  it.each([
    { guard: 'guard-number-1', n: 1 },
    { guard: 'guard-number-1', n: -1, cursor: 'a.1' },
    { guard: 'guard-number-1', n: 1.5, cursor: 'a.1' },
    { guard: 'guard-number-1', n: 2 ** 53, cursor: 'a.1' },
    { guard: 'guard-number-1', n: '1', cursor: 'a.1' },
    { guard: 'guard-number-1', n: 1, cursor: { sequence: 1 } },
    { guard: 'guard-number-1', n: 1, cursor: 'a.1', head: 1 },
    { guard: 'guard-number-1', n: 1, cursor: 'a.1', echo: 0 },
    { guard: { $ne: 1 }, n: 1, cursor: 'a.1' },
  ])('refuses %j', async (body) => {
    expect(await ping(body)).toMatchObject({ status: 422, json: { code: 'value_invalid' } });
  });
});

describe('POST /token/introspect', () => {
  it('is for guards with a feed credential as well', async () => {
    const { token } = await server.aUser('ada');
    const introspect = (by: string): Promise<Answer> =>
      server.call('POST', '/token/introspect', { token: by, body: { token } });
    expect(await introspect(credential)).toMatchObject({ status: 200, json: { active: true, username: 'ada' } });
    expect((await introspect(token)).status).toBe(403);
    await server.auth.feed.credentials.revoke('todos');
    expect((await introspect(credential)).status).toBe(401);
  });
});
