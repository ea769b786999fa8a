import { deepEqual, equal, rejects } from 'node:assert/strict';
import { changeKinds } from '../../changes/change.ts';
import { aSession, aUser, insertSessions, insertUsers, later, now, shifted, use, withPlainSalt } from './records.ts';
import { atOnce, holds, type Checks } from './trial.ts';

/** What a store must do for sessions, besides letting them rotate. */
export const sessionChecks: Checks = {
  'keeps a session as it was given': async ({ store }) => {
    const [user] = await insertUsers(store, aUser('ada'));
    const sessions = [
      aSession(user?.id ?? ''),
      aSession(user?.id ?? '', {
        userEpoch: 3,
        generation: 9_007_199_254_740_991,
        base: 2 ** 40,
        mintedAt: shifted(now, 1),
        rotatedAt: shifted(now, 2),
        scope: 'todos:read todos:write',
        createdAt: shifted(now, 3),
        lastUsedAt: shifted(now, 4),
        idleExpiresAt: shifted(later, 5),
        expiresAt: shifted(later, 6),
        userAgent: undefined,
        address: undefined,
      }),
    ];
    for (const session of sessions) {
      await store.sessions.insert(session);
      const found = await store.sessions.find(session.id);
      deepEqual(found && withPlainSalt(found), session);
    }
    equal(await store.sessions.find('unknown'), undefined);
  },

  'ends a session once and says so in the log, in a transaction and outside': async ({ store }) => {
    const states = [{}, { mintedAt: later }, {}];
    const [one, other, undone] = (await insertSessions(store, ...states)).map(({ id }) => id);
    equal(await store.sessions.end(one ?? '', 'signed_out', now), true);
    equal(await store.sessions.end(one ?? '', 'signed_out', later), false);
    equal(await store.sessions.end('unknown', 'signed_out', now), false);
    await store.transaction(async ({ sessions }) => {
      equal(await sessions.end(other ?? '', 'signed_out', now, true), true);
      equal(await sessions.end(other ?? '', 'signed_out', now), false);
    });
    const work = store.transaction(async ({ sessions }) => {
      await sessions.end(undone ?? '', 'signed_out', now);
      throw new Error('stop');
    });
    await rejects(work, /stop/);
    holds(await store.sessions.find(one ?? ''), { endedAt: now });
    holds(await store.sessions.find(undone ?? ''), { endedAt: undefined });
    const { changes } = await store.changes.readSince(2);
    // Until the last token has expired that can have been made for it.
    const expiries = [now, later].map((moment) => moment.getTime() / 1000 + 60);
    const common = { kind: changeKinds.sessionDead, critical: true };
    deepEqual(changes, [
      { sequence: 3, key: one, expiresAt: expiries[0], acknowledge: false, ...common },
      { sequence: 4, key: other, expiresAt: expiries[1], acknowledge: true, ...common },
    ]);
  },

  'lets one of many who end a session at once have ended it': async ({ store }) => {
    const sessions = await insertSessions(store, {}, {}, {});
    const answers = await atOnce(24, (index) => store.sessions.end(sessions[index % 3]?.id ?? '', 'signed_out', now));
    equal(answers.filter(Boolean).length, 3);
    const { changes } = await store.changes.readSince(2);
    deepEqual(changes.map(({ key }) => key).toSorted(), sessions.map(({ id }) => id).toSorted());
  },

  'counts and lists only sessions that are live, the newest first': async ({ store }) => {
    const states = [
      { id: 'first000000' },
      { endedAt: now },
      { userEpoch: -1 },
      { expiresAt: now },
      { idleExpiresAt: now },
      { id: 'newest00000', createdAt: shifted(now, 1) },
    ];
    const [first] = await insertSessions(store, ...states);
    const userId = first?.userId ?? '';
    await insertSessions(store, {});
    const live = await store.sessions.listLive(userId, 0, now);
    deepEqual(
      live.map(({ id }) => id),
      ['newest00000', 'first000000'],
    );
    deepEqual((await store.sessions.listLive(userId, -1, now)).length, 1);
    equal(await store.sessions.countLive(now), 3);
    equal(await store.sessions.countLive(later), 0);
    equal(await store.sessions.countLive(now, { userId, userEpoch: 0 }), 2);
    equal(await store.sessions.countLive(now, { userId, userEpoch: 1 }), 0);
    await store.users.advanceEpoch(userId);
    equal(await store.sessions.countLive(now), 1);
  },

  'tells when tokens were last made for a user': async ({ store }) => {
    const [user] = await insertUsers(store, aUser('ada'));
    equal(await store.sessions.lastMinted(user?.id ?? ''), undefined);
    for (const mintedAt of [now, later, shifted(now, 1)]) {
      await store.sessions.insert(aSession(user?.id ?? '', { mintedAt }));
    }
    await insertSessions(store, { mintedAt: shifted(later, 1) });
    deepEqual(await store.sessions.lastMinted(user?.id ?? ''), later);
  },

  'removes sessions that ended or expired before a moment, a stretch at a time, and no others': async ({ store }) => {
    const before = shifted(later, 1);
    const lives = { idleExpiresAt: shifted(later, 1000), expiresAt: shifted(later, 1000) };
    const states = [
      { ...lives },
      { ...lives, endedAt: now },
      { ...lives, idleExpiresAt: later },
      { ...lives, expiresAt: later },
      { ...lives, endedAt: before },
      { ...lives },
    ];
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `${letter}0000000000`);
    await insertSessions(store, ...states.map((state, index) => ({ ...state, id: ids[index] ?? '' })));
    deepEqual(await store.sessions.prune('', 3, before), { removed: 2, next: ids[2] });
    deepEqual(await store.sessions.prune(ids[2] ?? '', 3, before), { removed: 1, next: ids[5] });
    deepEqual(await store.sessions.prune(ids[5] ?? '', 3, before), { removed: 0, next: undefined });
    const left = await Promise.all(ids.map((id) => store.sessions.find(id)));
    deepEqual(
      left.map((session) => session?.id),
      [ids[0], undefined, undefined, undefined, ids[4], ids[5]],
    );
  },

  'lets several remove what is over at once': async ({ store }) => {
    await insertSessions(store, ...Array.from({ length: 60 }, () => ({})));
    const removed = await atOnce(6, () => store.sessions.prune('', 500, shifted(later, 1000)));
    equal(
      removed.reduce((sum, each) => sum + each.removed, 0),
      60,
    );
  },

  'does not let a session end that is being rotated, nor rotate one that has ended': async ({ store }) => {
    const sessions = await insertSessions(store, ...Array.from({ length: 10 }, () => ({})));
    await Promise.all(
      sessions.flatMap(({ id }) => [
        store.sessions.rotate(id, 1, use),
        store.sessions.end(id, 'signed_out', now),
        store.sessions.rotate(id, 2, use),
      ]),
    );
    for (const { id } of sessions) {
      const { generation = 0 } = (await store.sessions.find(id)) ?? {};
      equal(await store.sessions.rotate(id, generation, use), undefined);
      equal(await store.sessions.fork(id, generation, use), false);
      holds(await store.sessions.find(id), { generation, endedAt: now });
    }
  },
};
