import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { type Auth, AuthError, createAuth, formatCursor, type Store } from '@sallyport/auth';
import { sqlite } from '@sallyport/auth/sqlite';
import express from 'express';
import { createHandler, expressHandler, type Handler } from 'sallyport';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventStream } from '../../../test/event-stream.ts';

const guard = 'guard=guard-number-1&lease=30';

let auth: Auth;
let store: Store;
let handler: Handler;
let credential: string;
let cursor: string;
let servers: Server[] = [];
beforeEach(async () => {
  store = sqlite(':memory:');
  auth = await createAuth({
    issuer: 'http://127.0.0.1:8000',
    store,
    secretKey: 'a-secret-key-for-tests-only-0123456789-abcdef',
  });
  handler = createHandler(auth);
  ({ credential } = await auth.feed.credentials.create('todos'));
  const { incarnation, head } = await auth.changes.readSince(0);
  cursor = formatCursor({ incarnation, sequence: head });
});
afterEach(async () => {
  for (const server of servers) server.close().closeAllConnections();
  servers = [];
  await auth.close();
});

async function listen(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const mounts: readonly (readonly [string, () => Promise<string>])[] = [
  ['on node:http', () => listen(createServer(expressHandler(handler)))],
  [
    'mounted in Express',
    async () => `${await listen(createServer(express().use('/auth', expressHandler(handler))))}/auth`,
  ],
];

const ping = async (url: string, n: number, at: string): Promise<number> => {
  const response = await fetch(`${url}/feed/ping`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
    body: JSON.stringify({ guard: 'guard-number-1', n, cursor: at }),
  });
  return response.status;
};

/** A request to `POST /feed/pings` whose body goes on. */
interface OpenRequest {
  readonly write: (...records: readonly string[]) => void;
  readonly end: () => void;
  readonly hangUp: () => void;
  readonly status: Promise<number>;
}

function sendPings(url: string, headers: Readonly<Record<string, string>> = {}): OpenRequest {
  const outgoing = request(`${url}/feed/pings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json-seq', ...headers },
  });
  const status = new Promise<number>((resolve, reject) => {
    outgoing.on('response', (incoming) => resolve(incoming.resume().statusCode ?? 0));
    outgoing.on('error', reject);
  });
  status.catch(() => undefined);
  outgoing.flushHeaders();
  return {
    write: (...records) => void outgoing.write(records.join('')),
    end: () => void outgoing.end(),
    hangUp: () => void outgoing.destroy(),
    status,
  };
}

const recordOf = (n: number, more: object = {}): string =>
  `\u001e${JSON.stringify({ guard: 'guard-number-1', n, cursor, ...more })}\n`;

describe.each(mounts)('pings one after the other in one request %s', (_, start) => {
  let url: string;
  let stream: EventStream;
  const untilEchoed = (n: number): Promise<void> =>
    stream.until(() => stream.named('echo').some(({ data }) => (data as { n: number }).n === n));
  beforeEach(async () => {
    url = await start();
    stream = await EventStream.open(url, credential, `${guard}&cursor=${cursor}`);
    await stream.until(({ names }) => names.includes('hello'));
  });
  afterEach(() => stream.close());

  it('are each heard while the request goes on', async () => {
    const pings = sendPings(url);
    for (const n of [1, 2, 3]) {
      pings.write(recordOf(n));
      await untilEchoed(n);
    }
    pings.write(recordOf(4, { echo: false }), recordOf(5));
    await untilEchoed(5);
    pings.end();
    expect(await pings.status).toBe(204);
    expect(stream.named('echo').map(({ data }) => (data as { n: number }).n)).toEqual([1, 2, 3, 5]);
  });

  it('may arrive in any pieces', async () => {
    const pings = sendPings(url);
    for (const character of recordOf(7)) {
      pings.write(character);
      await setImmediate();
    }
    await untilEchoed(7);
    pings.end();
    expect(await pings.status).toBe(204);
  });

  it('count although whoever sends them hangs up, but for what was only begun', async () => {
    const pings = sendPings(url);
    pings.write(recordOf(1), recordOf(2).slice(0, -1));
    await untilEchoed(1);
    pings.hangUp();
    expect(await ping(url, 3, cursor)).toBe(204);
    await untilEchoed(3);
    expect(stream.named('echo').map(({ data }) => (data as { n: number }).n)).toEqual([1, 3]);
  });

  it('are answered 410 at once when the stream is gone, while the request goes on', async () => {
    const pings = sendPings(url);
    pings.write(recordOf(1));
    await untilEchoed(1);
    stream.close();
    await expect.poll(() => ping(url, 2, cursor), { timeout: 30_000 }).toBe(410);
    pings.write(recordOf(3));
    expect(await pings.status).toBe(410);
  });

  it('are answered 410 at once when their credential has been revoked', async () => {
    const pings = sendPings(url);
    pings.write(recordOf(1));
    await untilEchoed(1);
    await auth.feed.credentials.revoke('todos');
    await stream.untilOver();
    pings.write(recordOf(2));
    expect(await pings.status).toBe(410);
  });

  it('are heard but for the last when that has no end', async () => {
    const pings = sendPings(url);
    pings.write(recordOf(1), recordOf(2).slice(0, -1));
    pings.end();
    expect(await pings.status).toBe(400);
    await untilEchoed(1);
    expect(await ping(url, 3, cursor)).toBe(204);
    await untilEchoed(3);
    expect(stream.named('echo').map(({ data }) => (data as { n: number }).n)).toEqual([1, 3]);
  });

  it('may be announced, or none at all', async () => {
    const headers = { authorization: `Bearer ${credential}`, 'content-type': 'application/json-seq' };
    for (const body of ['', recordOf(1, { echo: false }) + recordOf(2)]) {
      expect((await fetch(`${url}/feed/pings`, { method: 'POST', headers, body })).status).toBe(204);
    }
    await untilEchoed(2);
  });

  it('say that the guard takes leave', async () => {
    const pings = sendPings(url);
    pings.write(recordOf(1, { leaving: true }));
    await stream.untilOver();
    pings.end();
    expect(await pings.status).toBe(204);
  });

  it.each([
    ['a member that is unknown (P12)', () => recordOf(1, { head: 1 }), 422],
    ['a member of another type', () => recordOf(1, { n: '1' }), 422],
    ['a member that comes twice', () => recordOf(1).replace('"n":1', '"n":1,"n":2'), 400],
    ['no JSON', () => '\u001e{\n', 400],
    ['JSON that is no object', () => '\u001e[]\n', 400],
    ['no record separator', () => recordOf(1).slice(1), 400],
    ['an empty line', () => '\n', 400],
    ['a record of more than 1 KiB', () => recordOf(1, { more: 'x'.repeat(1024) }), 413],
    ['more than 1 KiB without an end', () => `\u001e${'x'.repeat(2048)}`, 413],
  ])('refuse %s at once, while the request goes on', async (__, record, status) => {
    const pings = sendPings(url);
    pings.write(record());
    expect(await pings.status).toBe(status);
    expect(await ping(url, 9, cursor)).toBe(204);
    await untilEchoed(9);
    expect(stream.named('echo')).toHaveLength(1);
  });

  it.each([
    [{ authorization: 'Bearer spfeed_nobody' }, 401],
    [{ 'content-type': 'application/json' }, 415],
    [{ 'content-type': 'application/json-seq', 'content-encoding': 'gzip' }, 415],
  ])('need %j to be right', async (headers, status) => {
    const pings = sendPings(url, headers);
    pings.write(recordOf(1));
    pings.end();
    expect(await pings.status).toBe(status);
    expect(stream.named('echo')).toEqual([]);
  });
});

describe.each(mounts)('a stream %s', (_, start) => {
  it('brings hello, entries with their cursors, and the echo behind them', async () => {
    const stream = await EventStream.open(await start(), credential, `${guard}&cursor=${cursor}`);
    expect(stream.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
    });
    await auth.roles.set('editor', ['todos:write']);
    await stream.until(({ names }) => names.includes('c'));
    expect(stream.named('hello')).toEqual([
      {
        name: 'hello',
        id: undefined,
        data: {
          v: 1,
          min: 1,
          inc: cursor.split('.')[0],
          head: expect.any(Number) as number,
          hash_key: expect.stringMatching(/^[\da-f]{16}$/) as string,
          token_lifetime: 900,
          node: expect.any(String) as string,
        },
      },
    ]);
    const id = cursor.replace(/\.\d+$/, '.3');
    expect(stream.named('c')).toEqual([{ name: 'c', id, data: [3, 7, 'editor', 0, 1, { scopes: ['todos:write'] }] }]);
    stream.close();
  });

  it('answers pings in the stream, and 410 when it is gone', async () => {
    const url = await start();
    const stream = await EventStream.open(url, credential, `${guard}&cursor=${cursor}`);
    await stream.until(({ names }) => names.includes('hello'));
    expect(await ping(url, 17, cursor)).toBe(204);
    await stream.until(({ names }) => names.includes('echo'));
    expect(stream.named('echo')[0]?.data).toEqual({ n: 17, head: 2, age: expect.any(Number) as number });
    stream.close();
    await expect.poll(() => ping(url, 18, cursor), { timeout: 30_000 }).toBe(410);
  });

  it('goes on where a browser says that it left off', async () => {
    await auth.roles.set('editor', []);
    const url = await start();
    const stream = await EventStream.open(url, credential, guard, { 'last-event-id': cursor });
    await stream.until(({ sequences }) => sequences.length === 1);
    const other = await EventStream.open(url, credential, guard, { 'last-event-id': 'no cursor' });
    await other.untilOver();
    expect(other.names).toEqual(['hello', 'resync']);
  });

  it('says goodbye and ends when the engine closes', async () => {
    const stream = await EventStream.open(await start(), credential, `${guard}&cursor=${cursor}`);
    await stream.until(({ names }) => names.includes('hello'));
    await auth.close();
    await stream.untilOver();
    expect(stream.events.at(-1)).toMatchObject({ name: 'bye', data: { retry: 250 } });
  });

  it('ends when its credential is revoked', async () => {
    const stream = await EventStream.open(await start(), credential, `${guard}&cursor=${cursor}`);
    await stream.until(({ names }) => names.includes('hello'));
    await auth.feed.credentials.revoke('todos');
    await stream.untilOver();
    expect(stream.names).toEqual(['hello']);
  });

  it('sends the snapshot whole', async () => {
    const url = await start();
    const response = await fetch(`${url}/feed/snapshot`, { headers: { authorization: `Bearer ${credential}` } });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.length).toBe(Number(response.headers.get('content-length')));
    expect(bytes.toString('latin1', 0, 4)).toBe('SPF1');
  });
});

describe('who does not read', () => {
  it('is given nothing more, and gets everything in larger pieces when it does', async () => {
    const response = await handler(
      new Request(`http://127.0.0.1:8000/feed?${guard}&cursor=${cursor}`, {
        headers: { authorization: `Bearer ${credential}` },
      }),
    );
    const reader = response.body?.getReader();
    const read = async (): Promise<string> => Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(await read()).toMatch(/^event: hello\n/);
    for (let count = 0; count < 20; count += 1) await auth.roles.set(`role-${String(count)}`, []);
    // It looks at the log before it answers.
    await auth.feed.snapshot();
    expect((await read()).match(/^event: c$/gm)).toHaveLength(20);
    await reader?.cancel();
  });

  it('has its connection closed after 30 seconds in which nothing could be sent', async () => {
    const server = createServer(expressHandler(handler));
    const url = await listen(server);
    const connection = once(server, 'connection') as Promise<[Socket]>;
    const stream = await EventStream.open(url, credential, `${guard}&cursor=${cursor}`);
    const [socket] = await connection;
    await stream.until(({ names }) => names.includes('hello'));
    expect(socket.timeout).toBe(30_000);
    stream.close();
  });
});

describe('a stream that cannot read what comes next', () => {
  it('ends without a word about why, which is reported under the id of the request (S20)', async () => {
    const reported: (readonly [unknown, string])[] = [];
    handler = createHandler(auth, { onError: (...failure) => reported.push(failure) });
    await auth.roles.set('editor', []);
    const away = new AuthError('store_unavailable', 'the database at 10.0.0.7 is away', { retryAfter: 1 });
    vi.spyOn(store.changes, 'readBetween').mockRejectedValueOnce(away);
    const url = await listen(createServer(expressHandler(handler)));
    const response = await fetch(`${url}/feed?${guard}&cursor=${cursor}`, {
      headers: { authorization: `Bearer ${credential}` },
    });
    expect(await response.text()).toBe('');
    expect(reported).toEqual([[away, response.headers.get('x-request-id')]]);
  });
});

describe('many who come', () => {
  const follow = (name: number): Promise<Response> =>
    handler(
      new Request(`http://127.0.0.1:8000/feed?guard=guard-${String(10_000 + name)}&lease=30&cursor=${cursor}`, {
        headers: { authorization: `Bearer ${credential}` },
      }),
    );

  it('are served up to a bound, and refused beyond it without being forgotten', async () => {
    const responses = await Promise.all(Array.from({ length: 10_000 }, (_, name) => follow(name)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(4_096);
    const refused = responses.filter(({ status }) => status === 503);
    expect(refused).toHaveLength(10_000 - 4_096);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(await refused[0]?.json()).toMatchObject({ code: 'feed_full' });
    for (const { status, body } of responses) if (status === 200) await body?.cancel();
    expect((await follow(1)).status).toBe(200);
  });

  it('and only look take no place', async () => {
    const look = (): Promise<Response> =>
      handler(
        new Request(`http://127.0.0.1:8000/feed?${guard}&cursor=${cursor}`, {
          method: 'HEAD',
          headers: { authorization: `Bearer ${credential}` },
        }),
      );
    for (let count = 0; count < 5_000; count += 1) expect((await look()).status).toBe(200);
    expect((await follow(1)).status).toBe(200);
  });
});
