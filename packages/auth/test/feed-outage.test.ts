import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Auth } from '../src/auth.ts';
import type { FeedCredential } from '../src/feed/feed-credential.ts';
import type { FeedCursor } from '../src/feed/feed-cursor.ts';
import type { Store } from '../src/stores/store.ts';
import { anAuth, type AuthFixture } from './auth-fixture.ts';
import { testDatabases, type TestDatabase } from './databases.ts';
import { startPostgres } from './postgres-server.ts';
import { aCredential, cursorOf, FollowingGuardFixture } from './feed-fixture.ts';

// Processes and databases start here, on machines that may be busy with others.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const isDeaf = (store: Store): Store => ({ ...store, watch: () => () => undefined });

for (const { name, start } of testDatabases.filter((each) => !each.name.includes('memory'))) {
  describe(`a process that nobody wakes, on ${name}`, () => {
    it('finds by looking what others have written', async () => {
      const database = await start();
      const { connect } = await database.create();
      const { auth: deaf } = await anAuth({}, isDeaf(connect()));
      const { auth: writer } = await anAuth({}, connect());
      const guard = await FollowingGuardFixture.follow(deaf, {
        credential: await aCredential(writer),
        guard: 'guard-1',
        lease: 30,
        cursor: await cursorOf(writer),
      });
      for (let round = 1; round <= 5; round += 1) {
        await writer.roles.set(`role-${String(round)}`, []);
        await guard.until(({ sequences }) => sequences.length === round);
      }
      await Promise.all([deaf.close(), writer.close()]);
      await database.stop();
    });
  });
}

describe('the feed on a PostgreSQL in trouble', () => {
  let database: TestDatabase;
  let url: string;
  let node: AuthFixture;
  let writer: Auth;
  let credential: FeedCredential & { readonly credential: string };
  let cursor: FeedCursor;
  let guard: FollowingGuardFixture;

  beforeEach(async () => {
    database = await startPostgres();
    const created = await database.create();
    ({ url } = created);
    node = await anAuth({ clock: () => new Date() }, created.connect());
    ({ auth: writer } = await anAuth({ clock: () => new Date() }, created.connect()));
    credential = await aCredential(writer);
    cursor = await cursorOf(writer);
    guard = await FollowingGuardFixture.follow(node.auth, { credential, guard: 'guard-1', lease: 30, cursor });
    await guard.until(({ types }) => types.includes('hello'));
  });
  afterEach(async () => {
    await Promise.all([node.auth.close(), writer.close()]);
    await database.stop();
  });

  it('misses nothing while the connections that listen are cut over and over', async () => {
    const operator = new pg.Client({ connectionString: url });
    await operator.connect();
    const listeners = `from pg_stat_activity where datname = current_database() and query ilike 'listen %'`;
    let isCutting = true;
    let cuts = 0;
    const cutting = (async (): Promise<void> => {
      while (isCutting) cuts += (await operator.query(`select pg_terminate_backend(pid) ${listeners}`)).rowCount ?? 0;
    })();
    for (let round = 1; round <= 30; round += 1) {
      await writer.roles.set(`role-${String(round)}`, []);
      if (round % 10 === 0) await guard.until(({ sequences }) => sequences.length === round);
    }
    isCutting = false;
    await cutting;
    expect(cuts).toBeGreaterThan(0);
    expect(guard.sequences).toEqual(Array.from({ length: 30 }, (_, index) => cursor.sequence + index + 1));
    // It listens again, by itself.
    await expect
      .poll(async () => (await operator.query(`select 1 ${listeners}`)).rowCount, { timeout: 30_000 })
      .toBeGreaterThan(0);
    await operator.end();
  });

  it('goes on while the database is away, with an age that grows', async () => {
    const before = await node.auth.feed.snapshot();
    await database.stop();
    for (let n = 1; (guard.echoes.at(-1)?.age ?? 0) < 2_000; n += 1) {
      guard.stream.ping({ n, cursor });
      await guard.until(({ echoes }) => echoes.at(-1)?.n === n);
    }
    const ages = guard.echoes.map(({ age }) => age);
    expect(ages).toEqual(ages.toSorted((one, other) => one - other));
    // Who was let in before is let in, learns how old everything is, and may not take it for fresh.
    const known = await node.auth.feed.credentials.authenticate(credential.credential);
    expect(known).toMatchObject({ name: 'guard' });
    const late = await FollowingGuardFixture.follow(node.auth, { credential, guard: 'guard-2', lease: 30, cursor });
    late.stream.ping({ n: 1, cursor });
    await late.until(({ echoes }) => echoes.length === 1);
    expect(late.echoes[0]?.age).toBeGreaterThanOrEqual(30_000);
    const after = await node.auth.feed.snapshot();
    expect(after.chunks).toBe(before.chunks);
    expect(after.age).toBeGreaterThanOrEqual(2_000);
    const stranger = `spfeed_${'A'.repeat(11)}${'A'.repeat(43)}`;
    await expect(node.auth.feed.credentials.authenticate(stranger)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });

  it('tells of a log that has become shorter, and begins anew', async () => {
    await writer.roles.set('editor', []);
    await guard.until(({ sequences }) => sequences.length === 1);
    const operator = new pg.Client({ connectionString: url });
    await operator.connect();
    await operator.query('begin');
    await operator.query('update feed_head set sequence = sequence - 1');
    await operator.query('delete from feed_log where sequence > (select sequence from feed_head)');
    await operator.query('commit');
    await operator.end();
    await guard.untilOver();
    expect(guard.events.at(-1)).toEqual({ type: 'resync' });
    expect(node.events.filter(({ type }) => type === 'change_log_restarted')).toMatchObject([
      { reason: 'shortened', from: cursor.sequence + 1, to: cursor.sequence },
    ]);
    const again = await FollowingGuardFixture.follow(node.auth, { credential, guard: 'guard-1', lease: 30, cursor });
    await writer.roles.set('viewer', []);
    await again.until(({ sequences }) => sequences.length === 1);
    expect((await node.auth.feed.snapshot()).head).toBe(cursor.sequence + 1);
  });
});
