import { expect, it, vi } from 'vitest';
import { sqlite } from '../src/stores/sqlite.ts';
import { SqliteConnection } from '../src/stores/sqlite/connection.ts';
import { anAuth, password } from './auth-fixture.ts';
import { aCredential, cursorOf, FollowingGuardFixture } from './feed-fixture.ts';

const sessionCount = 100_000;

/** Makes many of the one session there is: by SQL, because the store takes ten seconds to insert them one by one. */
function multiplySession(connection: SqliteConnection): void {
  const ask = (sql: string): readonly unknown[] => connection.run({ query: { sql }, parameters: [] }).rows.flat();
  const others = ask("select name from pragma_table_info('sessions') where name <> 'id'").join(', ');
  ask(`insert into sessions (id, ${others})
    with recursive numbers (number) as (select 1 union all select number + 1 from numbers limit ${sessionCount - 1})
    select 'session-' || number, ${others} from sessions, numbers`);
}

it('S8 signs a user out of 100,000 sessions by one row and one entry, for every guard', async () => {
  const store = sqlite(':memory:');
  const { auth } = await anAuth({}, store);
  const { id: userId } = await auth.users.create({ username: 'ada', password });
  const { sessionId, refreshToken } = await auth.tokens.issue(userId);
  const run = vi.spyOn(SqliteConnection.prototype, 'run');
  await store.sessions.find(sessionId);
  multiplySession(run.mock.contexts[0] as SqliteConnection);
  const credential = await aCredential(auth);
  const cursor = await cursorOf(auth);
  const guard = await FollowingGuardFixture.follow(auth, { credential, guard: 'guard-1', lease: 30, cursor });

  run.mockClear();
  expect(await auth.sessions.endAll(userId)).toBe(sessionCount);
  const writes = run.mock.calls.flatMap(([{ query }], index) => {
    const result = run.mock.results[index]?.value as { readonly changes?: number } | undefined;
    const [what = ''] = /^(update|insert into|delete from) "\w+"/.exec(query.sql) ?? [];
    return what === '' ? [] : [[what, result?.changes]];
  });
  run.mockRestore();

  expect(writes).toEqual([
    ['update "users"', 1],
    ['insert into "feed_log"', 1],
    ['update "feed_head"', 1],
  ]);
  await guard.until(({ sequences }) => sequences.length > 0);
  expect(guard.sequences).toEqual([cursor.sequence + 1]);
  expect(await auth.sessions.list(userId)).toEqual([]);
  await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ code: 'refresh_token_invalid' });
  expect((await store.sessions.find('session-99999'))?.endedAt).toBeUndefined();
  await auth.close();
});
