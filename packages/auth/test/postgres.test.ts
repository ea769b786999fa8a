import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openProxy, type TcpProxy } from '../../../test/tcp-proxy.ts';
import { tokenDead } from '../src/changes/change.ts';
import { postgres } from '../src/stores/postgres.ts';
import { openPool } from '../src/stores/postgres/connections.ts';
import type { Store } from '../src/stores/store.ts';
import { anAuth, password } from './auth-fixture.ts';
import { testDatabases, type TestDatabase } from './databases.ts';

let database: TestDatabase | undefined;

beforeAll(async () => {
  database = await testDatabases.find(({ name }) => name === 'PostgreSQL')?.start();
});
afterAll(() => database?.stop());

it('a connection that breaks in the middle of a transaction ends neither the process nor the service', async () => {
  const created = await database?.create();
  if (created === undefined) throw new Error('PostgreSQL did not start');
  const { auth } = await anAuth({}, created.connect());
  await auth.users.register({ username: 'ada', password });
  const operator = new pg.Client({ connectionString: created.url });
  await operator.connect();
  let broken = 0;
  const work = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) {
      try {
        await auth.roles.set(`role-${round}`, ['todos:read']);
      } catch (error) {
        expect(error).toMatchObject({ code: 'store_unavailable' });
        broken += 1;
      }
    }
  };
  const kill = async (): Promise<void> => {
    for (let round = 0; round < 5; round += 1) {
      await operator.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    }
  };
  await Promise.all([work(), work(), kill()]);
  await operator.end();
  expect(broken).toBeGreaterThan(0);
  await auth.ready();
  expect((await auth.users.find('ada')).username).toBe('ada');
  await auth.close();
});

it('a connection that breaks in the moment it is made does not end the process', async () => {
  const message = (letter: string, body: string): Buffer => {
    const bytes = Buffer.from(`${letter}....${body}`, 'latin1');
    bytes.writeUInt32BE(body.length + 4, 1);
    return bytes;
  };
  const isReady = [message('R', '\0\0\0\0'), message('Z', 'I')];
  const isGone = message('E', 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  // All of it arrives at once: nobody has got the connection yet when its error is read.
  const server = createServer((socket) =>
    socket.on('error', () => undefined).once('data', () => socket.end(Buffer.concat([...isReady, isGone]))),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const pool = openPool(`postgres://ada@127.0.0.1:${String((server.address() as AddressInfo).port)}/ada`);
  await expect(pool.query('select 1')).rejects.toThrow();
  await pool.end();
  server.close();
});

describe('rotations on PostgreSQL', () => {
  let url: string;
  let store: Store;
  let sessionIds: string[];
  const now = new Date('2026-01-01T00:00:00Z');
  const use = { now, idleExpiresAt: new Date('2026-01-02T00:00:00Z') };

  beforeEach(async () => {
    const created = await database?.create();
    if (created === undefined) throw new Error('PostgreSQL did not start');
    url = created.url;
    store = created.connect();
    const { auth } = await anAuth({}, store);
    const { id } = await auth.users.register({ username: 'ada', password });
    for (let index = 0; index < 40; index += 1) await auth.tokens.issue(id);
    sessionIds = (await auth.sessions.list(id)).map((session) => session.id);
  });
  afterEach(() => store.close());

  it('are done together, and none of them spoils another', async () => {
    const head = await store.changes.head();
    const results = await Promise.allSettled(
      sessionIds.map((id, index) =>
        store.sessions.rotate(id, index === 3 ? 9 : 1, index === 5 ? { ...use, userAgent: '\0' } : use),
      ),
    );
    const outcomes = results.map((result) =>
      result.status === 'rejected' ? (result.reason as { code: string }).code : result.value?.asOf,
    );
    expect(outcomes).toEqual(
      sessionIds.map((_, index) => (index === 3 ? undefined : index === 5 ? 'value_invalid' : head)),
    );
  });

  it('of one session wait for each other: exactly one wins', async () => {
    const [id = ''] = sessionIds;
    const wins = await Promise.all(Array.from({ length: 30 }, () => store.sessions.rotate(id, 1, use)));
    expect(wins.filter((standing) => standing !== undefined)).toHaveLength(1);
  });

  it('do not wait for a session that somebody else has locked', async () => {
    const [locked = '', ...free] = sessionIds;
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query('begin');
    await other.query('select 1 from sessions where id = $1 for update', [locked]);
    const settled: string[] = [];
    const waiting = store.sessions.rotate(locked, 1, use).then(() => settled.push(locked));
    await Promise.all(free.map((id) => store.sessions.rotate(id, 1, use).then(() => settled.push(id))));
    expect(settled).toHaveLength(free.length);
    await other.query('commit');
    await waiting;
    expect(await store.sessions.find(locked)).toMatchObject({ generation: 2 });
    await other.end();
  });
});

/** Tells which messages of one connection commit: the word, or a statement outside a transaction, by its text or its name. */
function recognisingCommits(): (bytes: Buffer) => boolean {
  let kept: string | undefined;
  return (bytes) => {
    const text = bytes.toString('latin1');
    if (text.includes('insert into feed_log')) {
      kept = /^P.{4}([^\0]+)\0/s.exec(text)?.[1] ?? kept;
      return true;
    }
    return text.includes('commit') || (kept !== undefined && text.startsWith('B') && text.includes(`\0${kept}\0`));
  };
}

describe('changes of one entry on PostgreSQL', () => {
  const count = 100;
  let url: string;
  let proxy: TcpProxy;
  let commits: number;
  /** The commit whose connection is lost. */
  let lostCommit: number | undefined;
  let store: Store;
  let sessionIds: string[];
  const now = new Date('2026-01-01T00:00:00Z');

  beforeEach(async () => {
    const created = await database?.create();
    if (created === undefined) throw new Error('PostgreSQL did not start');
    url = created.url;
    const { auth } = await anAuth({}, created.connect());
    const { id } = await auth.users.register({ username: 'ada', password });
    await Promise.all(Array.from({ length: count }, () => auth.tokens.issue(id)));
    sessionIds = (await auth.sessions.list(id)).map((session) => session.id);
    await auth.close();
    const counted = new URL(url);
    proxy = await openProxy(Number(counted.port), () => {
      const isCommit = recognisingCommits();
      return {
        fromClient: (bytes, link) => {
          const commitsNow = isCommit(bytes);
          if (commitsNow) commits += 1;
          if (commitsNow && commits === lostCommit) link.cut();
          else link.toServer(bytes);
        },
        fromServer: (bytes, link) => link.toClient(bytes),
      };
    });
    counted.port = String(proxy.port);
    store = postgres(counted.href);
    [commits, lostCommit] = [0, undefined];
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  /** The sessions that the log says are over, in its order. */
  async function deaths(): Promise<string[]> {
    const { head, changes } = await store.changes.readSince(2);
    expect(changes.map(({ sequence }) => sequence)).toEqual(Array.from({ length: head - 2 }, (_, index) => index + 3));
    return changes.map(({ key }) => key);
  }
  const end = (id: string): Promise<boolean> => store.sessions.end(id, 'signed_out', now);

  it(`share their commits: ${count} revocations at once need a few`, async () => {
    const lanes = 25;
    const answers: boolean[] = [];
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        for (let index = lane; index < count; index += lanes) answers.push(await end(sessionIds[index] ?? ''));
      }),
    );
    expect(answers).toEqual(Array.from({ length: count }, () => true));
    expect((await deaths()).toSorted()).toEqual(sessionIds.toSorted());
    // One for each time all lanes have asked, and some for lanes that were late.
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThan(count / 4);
  });

  it('end a session once, however many ask for it, and say so once', async () => {
    const [id = '', other = ''] = sessionIds;
    const answers = await Promise.all([...Array.from({ length: 10 }, () => end(id)), end('unknown'), end(other)]);
    expect(answers.filter(Boolean)).toHaveLength(2);
    expect((await deaths()).toSorted()).toEqual([id, other].toSorted());
  });

  it('go into one log with what ends by itself, without a gap', async () => {
    const tokens = Array.from({ length: 20 }, (_, index) => `token-${index}`);
    await Promise.all([
      ...tokens.map((token) => store.append(tokenDead(token, now))),
      ...sessionIds.slice(0, 20).map(end),
      store.transaction(async (transaction) => {
        await transaction.sessions.end(sessionIds[20] ?? '', 'signed_out', now);
        transaction.append(tokenDead('in a transaction', now));
      }),
    ]);
    expect((await deaths()).toSorted()).toEqual([...tokens, ...sessionIds.slice(0, 21), 'in a transaction'].toSorted());
  });

  it('by several servers at once go into one log without a gap, each once', async () => {
    const servers = [store, postgres(url), postgres(url)];
    const answers = await Promise.all(
      sessionIds.flatMap((id, index) => [
        ...servers.map((server) => server.sessions.end(id, 'signed_out', now)),
        ...(index % 10 === 0 ? servers.map((server) => server.append(tokenDead(`token-${index}`, now))) : []),
      ]),
    );
    expect(answers.filter((answer) => answer === true)).toHaveLength(count);
    const keys = await deaths();
    expect(keys).toHaveLength(count + (servers.length * count) / 10);
    expect(keys.filter((key) => !key.startsWith('token-')).toSorted()).toEqual(sessionIds.toSorted());
    await Promise.all(servers.slice(1).map((server) => server.close()));
  });

  it('do not spoil each other, and do not wait for a session that somebody else has locked', async () => {
    const [locked = '', ...free] = sessionIds;
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query('begin');
    await other.query('select 1 from sessions where id = $1 for update', [locked]);
    const waiting = end(locked);
    const nul = end('a\0b');
    await expect(nul).rejects.toMatchObject({ code: 'value_invalid' });
    expect(await Promise.all(free.map(end))).toEqual(free.map(() => true));
    expect(await deaths()).not.toContain(locked);
    await other.query('commit');
    expect(await waiting).toBe(true);
    expect(await deaths()).toContain(locked);
    await other.end();
  });

  it('look for each session once, however many end together, and however many there are', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(
      `insert into sessions select (jsonb_populate_record(sessions, jsonb_build_object('id', 'more-' || number))).*
       from sessions, generate_series(1, 3000) as number where id = $1`,
      [sessionIds[0]],
    );
    const statistics = async (): Promise<{ updated: number; read: number }> => {
      const { rows } = await client.query<{ updated: number; read: number }>(
        `select n_tup_upd::int as updated, (seq_tup_read + idx_tup_fetch)::int as read
         from pg_stat_user_tables where relname = 'sessions'`,
      );
      return rows[0] ?? { updated: Number.NaN, read: Number.NaN };
    };
    await client.query('select pg_stat_force_next_flush()');
    const before = await statistics();
    const another = postgres(url);
    await Promise.all(sessionIds.slice(0, 10).map((id) => another.sessions.end(id, 'signed_out', now)));
    // A connection tells what it has done when it ends.
    await another.close();
    const after = await vi.waitFor(async () => {
      const counted = await statistics();
      expect(counted.updated - before.updated).toBe(10);
      return counted;
    }, 20_000);
    expect(after.read - before.read).toBeLessThan(10 * 10);
    await client.end();
  });

  it('are all undone when their commit is lost, and none of them is acknowledged', async () => {
    lostCommit = 1;
    const answers = await Promise.allSettled(sessionIds.map(end));
    expect(commits).toBe(1);
    expect(answers.map((answer) => answer.status)).toEqual(sessionIds.map(() => 'rejected'));
    expect(await deaths()).toEqual([]);
    expect(await Promise.all(sessionIds.map(end))).toEqual(sessionIds.map(() => true));
  });
});

it('tries a transaction again that was in the way of another', async () => {
  const created = await database?.create();
  if (created === undefined) throw new Error('PostgreSQL did not start');
  const store = created.connect();
  await store.migrate();
  let runs = 0;
  const bothHold = new Barrier(2);
  const lockBoth = (one: string, other: string): Promise<void> =>
    store.transaction(async ({ roles }) => {
      runs += 1;
      await roles.lock(one);
      await bothHold.reached();
      await roles.lock(other);
    });
  await Promise.all([lockBoth('admin', 'user'), lockBoth('user', 'admin')]);
  // On a busy machine whoever waits for the other may have to come back as well.
  expect(runs).toBeGreaterThanOrEqual(3);
  await store.close();
});

it('a server that starts on a database of its own version waits for nobody, and keeps nobody waiting', async () => {
  const created = await database?.create();
  if (created === undefined) throw new Error('PostgreSQL did not start');
  const [store, starting] = [created.connect(), created.connect()];
  await store.migrate();
  const [isUnderWay, mayEnd] = [new Barrier(2), new Barrier(2)];
  const slow = store.transaction(async () => {
    await isUnderWay.reached();
    await mayEnd.reached();
  });
  await isUnderWay.reached();
  const { from, to } = await starting.migrate();
  expect(from).toBe(to);
  await store.roles.set('editor', ['todos:write']);
  await store.transaction(({ roles }) => roles.lock('editor'));
  await mayEnd.reached();
  await slow;
  await Promise.all([store.close(), starting.close()]);
});

/** Lets nobody on before so many have come; whoever comes later goes on at once. */
class Barrier {
  #missing: number;
  readonly #waiting: (() => void)[] = [];

  constructor(parties: number) {
    this.#missing = parties;
  }

  reached(): Promise<void> {
    this.#missing -= 1;
    if (this.#missing <= 0) for (const resolve of this.#waiting.splice(0)) resolve();
    return this.#missing <= 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
