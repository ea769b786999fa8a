import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Auth } from '../src/auth.ts';
import type { FeedCredential } from '../src/feed/feed-credential.ts';
import type { Confirmation } from '../src/feed/confirmations.ts';
import type { Store } from '../src/stores/store.ts';
import { anAuth, aClock, password, type TestClock } from './auth-fixture.ts';
import type { TestDatabase } from './databases.ts';
import { aCredential, cursorOf, FollowingGuardFixture } from './feed-fixture.ts';

/** What somebody may rely on who waits for guards. Where there can be several processes, the guards are at different ones. */
export function describeConfirmation(name: string, start: () => Promise<TestDatabase>): void {
  describe(`waiting for guards on ${name}`, () => {
    const isShared = !name.includes('memory');
    let database: TestDatabase;
    let store: Store;
    let clock: TestClock;
    let nodes: readonly Auth[];
    let credential: FeedCredential;
    let userId: string;
    let guards: FollowingGuardFixture[];

    beforeAll(async () => {
      database = await start();
    });
    afterAll(() => database.stop());
    beforeEach(async () => {
      const { connect } = await database.create();
      clock = aClock();
      store = connect();
      const first = (await anAuth({ clock }, store)).auth;
      const others = isShared
        ? [(await anAuth({ clock }, connect())).auth, (await anAuth({ clock }, connect())).auth]
        : [first, first];
      nodes = [first, ...others];
      credential = await aCredential(first);
      ({ id: userId } = await first.users.create({ username: 'ada', password }));
      guards = [];
    });
    afterEach(async () => {
      await Promise.all([...new Set(nodes)].map((auth) => auth.close()));
    });

    const nodeAt = (index: number): Auth => nodes[index % nodes.length] ?? fail();

    async function aGuard(at: number, lease = 30): Promise<FollowingGuardFixture> {
      const auth = nodeAt(at);
      const guard = await FollowingGuardFixture.follow(auth, {
        credential,
        guard: `guard-${String(guards.length)}-of-many`,
        lease,
        cursor: await cursorOf(auth),
      });
      guards.push(guard);
      return guard;
    }

    /** Reads what comes, and acknowledges at once what is to be acknowledged, until the stream is closed. */
    async function obey(guard: FollowingGuardFixture, at: number): Promise<void> {
      for (let next = await guard.stream.next(100); next !== undefined; next = await guard.stream.next(100)) {
        for (const event of next) {
          if (event.type !== 'entries' || !event.entries.some(({ acknowledge }) => acknowledge)) continue;
          const cursor = { incarnation: event.incarnation, sequence: event.entries.at(-1)?.sequence ?? 0 };
          await nodeAt(at).feed.ping({ credential, guard: guard.name, n: 1, cursor });
        }
      }
    }

    /** Waits until it is written down that so many guards know everything. */
    const untilKnownBy = (count: number): Promise<void> =>
      vi.waitFor(
        async () => {
          const head = await store.changes.head();
          const leased = await store.guards.listLeased(new Date(0));
          expect(leased.filter(({ acknowledged }) => acknowledged === head)).toHaveLength(count);
        },
        { timeout: 10_000, interval: 5 },
      );

    /** Guards that follow and obey, one at each process. */
    async function obedientGuards(count: number): Promise<void> {
      for (let index = 0; index < count; index += 1) void obey(await aGuard(index + 1), index + 1);
    }

    const expectKnown = (confirmation: Confirmation, acknowledged: number): void => {
      expect(confirmation).toEqual({
        acknowledged,
        lapsed: 0,
        pending: 0,
        milliseconds: expect.any(Number) as number,
      });
    };

    it('ends when all of them know, whatever is ended and wherever they are', async () => {
      await obedientGuards(4);
      const { sessions } = nodeAt(0);
      const session = async (): Promise<string> => (await nodeAt(0).tokens.issue(userId)).sessionId;
      expectKnown(await sessions.end(await session(), { confirm: true }), 4);
      expectKnown(await sessions.end(await session(), { userId, confirm: true }), 4);
      await session();
      const all = await sessions.endAll(userId, { confirm: true });
      expect(all.ended).toBe(1);
      expectKnown(all.confirmation, 4);
      await session();
      const everything = await sessions.endEverything({ confirm: true });
      expect(everything.ended).toBe(1);
      expectKnown(everything.confirmation, 4);
      const { refreshToken, accessToken } = await nodeAt(0).tokens.issue(userId);
      expectKnown(await nodeAt(0).revoke(refreshToken, { confirm: true }), 4);
      expectKnown(await nodeAt(0).revoke(accessToken, { confirm: true }), 4);
    });

    it('is over at once where there are no guards, or nothing to end', async () => {
      expectKnown((await nodeAt(0).sessions.endAll(userId, { confirm: true })).confirmation, 0);
      expectKnown(await nodeAt(0).revoke('no token of ours', { confirm: true }), 0);
      await expect(nodeAt(0).sessions.end('nobody', { confirm: true })).rejects.toMatchObject({
        code: 'session_not_found',
      });
    });

    it('many at once are each told the truth', async () => {
      await obedientGuards(2);
      const ids = await Promise.all(
        Array.from({ length: 20 }, async () => (await nodeAt(0).tokens.issue(userId)).sessionId),
      );
      const confirmations = await Promise.all(
        ids.map((id, index) => nodeAt(index).sessions.end(id, { confirm: true })),
      );
      for (const confirmation of confirmations) expectKnown(confirmation, 2);
    });

    it('lasts until the lease of a guard that does not answer has run out, and not longer', async () => {
      await obedientGuards(1);
      await aGuard(2, 30);
      let isOver = false;
      const waiting = nodeAt(0).sessions.endAll(userId, { confirm: true });
      void waiting.then(() => (isOver = true));
      await guards[1]?.until(({ sequences }) => sequences.length > 0);
      clock.forward(29);
      await untilKnownBy(1);
      expect((await nodeAt(0).sessions.list(userId)).length).toBe(0);
      expect(isOver).toBe(false);
      clock.forward(10);
      expect((await waiting).confirmation).toMatchObject({ lapsed: 1, pending: 0 });
    });

    it('does not wait for a guard that has said that it stops', async () => {
      const guard = await aGuard(1);
      const { position } = guard.stream;
      const cursor = { incarnation: (await cursorOf(nodeAt(1))).incarnation, sequence: position };
      expect(await nodeAt(1).feed.ping({ credential, guard: guard.name, n: 1, cursor, leaving: true })).toBe(true);
      expectKnown((await nodeAt(0).sessions.endAll(userId, { confirm: true })).confirmation, 0);
      await guard.untilOver();
    });

    it('does not wait for what a guard knew at a process that it has left without a word', async () => {
      const guard = (await aGuard(0)).name;
      const cursor = await cursorOf(nodeAt(1));
      const moved = await FollowingGuardFixture.follow(nodeAt(1), { credential, guard, lease: 30, cursor });
      const waiting = nodeAt(0).sessions.endAll(userId, { confirm: true });
      await moved.until(({ sequences }) => sequences.length > 0);
      await nodeAt(1).feed.ping({ credential, guard, n: 1, cursor: await cursorOf(nodeAt(1)) });
      expectKnown((await waiting).confirmation, 1);
    });

    it('is not over by the word of a guard that comes from a log that was longer', async () => {
      const { incarnation, sequence } = await cursorOf(nodeAt(1));
      const cursor = { incarnation, sequence: sequence + 50 };
      const introduction = { credential, guard: 'guard-of-old', lease: 30, cursor };
      await (await FollowingGuardFixture.follow(nodeAt(1), introduction)).untilOver();
      let isOver = false;
      const waiting = nodeAt(0).sessions.endAll(userId, { confirm: true });
      void waiting.then(() => (isOver = true));
      await vi.waitFor(async () => expect(await store.changes.head()).toBe(sequence + 1), {
        timeout: 10_000,
        interval: 5,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(isOver).toBe(false);
      clock.forward(60);
      expect((await waiting).confirmation).toMatchObject({ acknowledged: 0, lapsed: 1 });
    });

    it('is not over by the word of a guard that claims to know what does not exist yet', async () => {
      const guard = await aGuard(1);
      const { incarnation } = await cursorOf(nodeAt(1));
      const ahead = { incarnation, sequence: Number.MAX_SAFE_INTEGER };
      await nodeAt(1).feed.ping({ credential, guard: guard.name, n: 1, cursor: ahead });
      const waiting = nodeAt(0).sessions.endAll(userId, { confirm: true });
      await guard.until(({ sequences }) => sequences.length > 0);
      // It is counted among those that are waited for while its lease lasts.
      clock.forward(29);
      expect((await nodeAt(0).sessions.list(userId)).length).toBe(0);
      clock.forward(31);
      expect((await waiting).confirmation).toMatchObject({ acknowledged: 0, lapsed: 1 });
    });
  });
}

function fail(): never {
  throw new Error('no such node');
}
