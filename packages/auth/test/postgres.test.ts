import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
  expect(runs).toBe(3);
  await store.close();
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
