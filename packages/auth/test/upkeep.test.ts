import { createAuth } from '../src/auth.ts';
import { changeKinds } from '../src/changes/change.ts';
import { Round } from '../src/upkeep/pruning.ts';
import { DatabaseClock } from '../src/upkeep/database-clock.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aClock, anAuth, issuer, password, secretKey } from './auth-fixture.ts';
import { testDatabases, type TestDatabase } from './databases.ts';

const day = 86_400;

for (const { name, start } of testDatabases) {
  describe(`upkeep on ${name}`, () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await start();
    });
    afterAll(() => database.stop());

    it('removes what was over two days ago, and S5: what it removed stays dead', async () => {
      const store = (await database.create()).connect();
      const { auth, clock, events } = await anAuth({}, store);
      await auth.users.register({ username: 'ada', password });
      const [gone, kept] = [
        await auth.signIn({ username: 'ada', password }),
        await auth.signIn({ username: 'ada', password }),
      ];
      await auth.revoke(gone.refreshToken);
      clock.forward(2 * day + 900);
      expect(await auth.upkeep()).toEqual({ sessions: 1, changes: 0 });
      clock.forward(61);
      expect(await auth.upkeep()).toEqual({ sessions: 0, changes: 1 });
      expect(await auth.upkeep()).toEqual({ sessions: 0, changes: 0 });
      expect(events.filter(({ type }) => type === 'pruned')).toMatchObject([{ sessions: 1 }, { changes: 1 }]);
      expect(await store.sessions.find(gone.sessionId)).toBeUndefined();
      for (const token of [gone.refreshToken, gone.accessToken]) {
        expect(await auth.introspect(token)).toEqual({ active: false });
      }
      await expect(auth.refresh(gone)).rejects.toMatchObject({ code: 'refresh_token_invalid' });
      expect((await auth.refresh(kept)).sessionId).toBe(kept.sessionId);
      await auth.close();
    });

    it('by a server whose clock is a day ahead harms nobody', async () => {
      if (name.includes('memory')) return;
      const { connect } = await database.create();
      const { auth, clock } = await anAuth({}, connect());
      await auth.users.register({ username: 'ada', password });
      const pair = await auth.signIn({ username: 'ada', password });
      await auth.revoke((await auth.signIn({ username: 'ada', password })).refreshToken);
      const ahead = await anAuth({ clock: aClock('2026-01-02T00:00:00Z') }, connect());
      expect(await ahead.auth.upkeep()).toEqual({ sessions: 0, changes: 0 });
      expect((await auth.changes.readSince(2)).changes).toMatchObject([{ kind: changeKinds.sessionDead }]);
      clock.forward(1);
      expect((await auth.refresh(pair)).sessionId).toBe(pair.sessionId);
      await Promise.all([auth.close(), ahead.auth.close()]);
    });

    it('by several servers while others sign in and out loses nothing that lives', async () => {
      const store = (await database.create()).connect();
      const { auth, clock } = await anAuth({}, store);
      const { id } = await auth.users.register({ username: 'ada', password });
      for (let count = 0; count < 40; count += 1) await auth.tokens.issue(id);
      clock.forward(32 * day);
      const work = Array.from({ length: 40 }, async (_, index) => {
        const pair = await auth.tokens.issue(id);
        return index % 2 === 0 ? auth.refresh(pair) : auth.revoke(pair.refreshToken);
      });
      const rounds = [auth.upkeep(), auth.upkeep(), store.sessions.prune('', 500, new Date(clock().getTime() - 1))];
      await Promise.all([...work, ...rounds]);
      await auth.upkeep();
      expect(await auth.sessions.list(id)).toHaveLength(20);
      await auth.close();
    });
  });
}

describe('a round', () => {
  it('looks at a bounded part of a table that holds nothing to remove, and goes on from there the next time', async () => {
    const seen: number[] = [];
    const round = new Round<number>(0, (after, limit) => {
      seen.push(after);
      return Promise.resolve({ removed: 0, next: after + limit });
    });
    await round.run();
    expect(seen).toHaveLength(20);
    await round.run();
    expect(seen[20]).toBe((seen[19] ?? 0) + 500);
  });

  it('goes on while there is something to remove, and stops all the same', async () => {
    const round = new Round<number>(0, (after) => Promise.resolve({ removed: 1, next: after + 1 }));
    expect(await round.run()).toBe(400);
    let stretches = 0;
    expect(await round.run(() => (stretches += 1) > 3)).toBe(3);
  });
});

describe('the timer', () => {
  it('does a round about every minute and keeps quiet while the database is away', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const clock = aClock();
    const { auth } = await anAuth({ clock });
    await auth.revoke(
      (await auth.tokens.issue((await auth.users.register({ username: 'ada', password })).id)).accessToken,
    );
    clock.forward(3 * day);
    await vi.advanceTimersByTimeAsync(10_000);
    await vi.waitFor(async () => expect((await auth.changes.readSince(2)).changes).toEqual([]));
    await auth.close();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
    vi.useRealTimers();
  });
});

describe('the clock of the database', () => {
  const real = new Date('2026-01-01T00:00:00Z');
  /** An own clock to set, a steady one, and a database that is always right. */
  const clocks = (
    ahead: number,
  ): { clock: DatabaseClock; set(by: number): void; pass(seconds: number): void; asked(): number } => {
    let [own, steady, asked] = [real.getTime() + ahead * 1000, 0, 0];
    const time = (): Promise<Date> => {
      asked += 1;
      return Promise.resolve(new Date(real.getTime() + steady));
    };
    return {
      clock: new DatabaseClock({ own: () => new Date(own), steady: () => steady, database: { time } }),
      set: (by) => {
        own += by * 1000;
      },
      pass: (seconds) => {
        own += seconds * 1000;
        steady += seconds * 1000;
      },
      asked: () => asked,
    };
  };

  it.each([
    [300, 0],
    [-300, 0],
    [86_400, 0],
    [0.4, 0.4],
    [-0.4, -0.4],
  ])('is kept by a server that is %d s ahead', async (ahead, shown) => {
    const { clock } = clocks(ahead);
    await clock.adjust();
    expect(clock.now().getTime()).toBe(real.getTime() + shown * 1000);
  });

  it.each([-3600, 86_400])('goes on when the own clock is set by %d s, and the database is asked', async (by) => {
    const { clock, set, pass, asked } = clocks(0);
    await clock.adjust();
    pass(60);
    set(by);
    expect(clock.now()).toEqual(new Date(real.getTime() + 60_000));
    expect(asked()).toBe(2);
    await clock.adjust();
    pass(600);
    expect(clock.now()).toEqual(new Date(real.getTime() + 660_000));
    expect(asked()).toBe(3);
  });

  it('is the own one where the database has no other', async () => {
    let own = 5;
    const database = { time: () => Promise.resolve(undefined) };
    const clock = new DatabaseClock({ own: () => new Date(own), steady: () => 0, database });
    await clock.adjust();
    own += 3_600_000;
    expect(clock.now()).toEqual(new Date(own));
  });

  it('is not asked for by an engine that was given a clock', async () => {
    const store = sqlite(':memory:');
    const asked = vi.spyOn(store.changes, 'time');
    const auth = await createAuth({ issuer, store, secretKey, clock: () => real });
    await auth.upkeep();
    expect(asked).not.toHaveBeenCalled();
    expect(auth.now()).toEqual(real);
    await auth.close();
  });
});
