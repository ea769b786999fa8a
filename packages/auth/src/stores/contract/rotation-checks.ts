import { deepEqual, equal } from 'node:assert/strict';
import { roleDefinition, userOverride } from '../../changes/change.ts';
import { decideRefresh, refreshPolicy } from '../../sessions/refresh-rotation.ts';
import type { SessionStanding, SessionUse } from '../../sessions/session-store.ts';
import type { SessionRecord } from '../../sessions/session.ts';
import {
  aChange,
  append,
  aSession,
  aUser,
  insertSessions,
  insertUsers,
  later,
  now,
  shifted,
  use,
  withPlainSalt,
} from './records.ts';
import { atOnce, holds, type Checks, type Trial } from './trial.ts';

const policy = refreshPolicy('resilient', 86_400);

/** States of sessions of which some may rotate from generation 1 or 7, and some not. */
const states: readonly Partial<SessionRecord>[] = [
  {},
  { generation: 7, base: 4 },
  { generation: 2 },
  { endedAt: now },
  { expiresAt: now },
  { idleExpiresAt: now },
  { expiresAt: shifted(now, 1) },
  { userEpoch: 1 },
];

/** Tries to rotate a session from a generation, and compares what happens with the rule. */
async function tryRotation({ store }: Trial, id: string, presented: number): Promise<void> {
  const by: SessionUse = { now, idleExpiresAt: shifted(later, 9), address: '::1' };
  const before = await standing(store, id);
  const mayGoOn = before !== undefined && !before.user.disabled && before.user.epoch === before.session.userEpoch;
  const isDue = mayGoOn && decideRefresh(before.session, presented, now, policy) === 'rotate';
  const position = await store.sessions.rotate(id, presented, by);
  const after = await standing(store, id);
  if (!isDue) {
    equal(position, undefined);
    deepEqual(after, before);
    return;
  }
  deepEqual(position, { asOf: before.asOf, rightsAsOf: before.rightsAsOf });
  const { idleExpiresAt, address } = by;
  const counters = { base: presented, generation: presented + 1 };
  const moments = { mintedAt: now, rotatedAt: now, lastUsedAt: now, idleExpiresAt };
  deepEqual(after, { ...before, session: { ...before.session, ...counters, ...moments, address } });
}

async function standing(store: Trial['store'], id: string): Promise<SessionStanding | undefined> {
  const found = await store.sessions.findStanding(id);
  return found && { ...found, session: withPlainSalt(found.session) };
}

/** What a store must do for refreshing. */
export const rotationChecks: Checks = {
  'rotates exactly the sessions that the rule of rotation would let rotate': async (trial) => {
    const { store } = trial;
    const sessions = [...(await insertSessions(store, ...states)), ...(await insertSessions(store, {}))];
    await store.users.setDisabled(sessions.at(-1)?.userId ?? '', now);
    for (const { id } of sessions) {
      for (const presented of [1, 7]) await tryRotation(trial, id, presented);
    }
    equal(await store.sessions.rotate('unknown', 1, use), undefined);
  },

  'lets one of many who rotate a session at once win, and all of many sessions': async ({ store }) => {
    const sessions = await insertSessions(store, ...Array.from({ length: 20 }, () => ({})));
    const [first] = sessions;
    const wins = await atOnce(20, () => store.sessions.rotate(first?.id ?? '', 1, use));
    equal(wins.filter((position) => position !== undefined).length, 1);
    holds(await store.sessions.find(first?.id ?? ''), { generation: 2, base: 1 });
    const all = await atOnce(19, (index) => store.sessions.rotate(sessions[index + 1]?.id ?? '', 1, use));
    equal(all.includes(undefined), false);
  },

  'forks a session from its present generation alone, and keeps what its client has proven': async ({ store }) => {
    const [session] = await insertSessions(store, { generation: 5, base: 3 });
    const id = session?.id ?? '';
    const by = { now: shifted(now, 5), idleExpiresAt: shifted(later, 5), userAgent: 'another' };
    equal(await store.sessions.fork(id, 4, by), false);
    equal(await store.sessions.fork(id, 5, by), true);
    equal(await store.sessions.fork(id, 5, by), false);
    holds(await store.sessions.find(id), {
      generation: 6,
      base: 3,
      mintedAt: by.now,
      lastUsedAt: by.now,
      idleExpiresAt: by.idleExpiresAt,
      rotatedAt: now,
      userAgent: 'another',
      address: '127.0.0.1',
    });
    equal(await store.sessions.fork('unknown', 1, by), false);
  },

  'reads at once a session, its user, what the roles grant, and how far the log has come': async ({ store }) => {
    await store.roles.set('editor', ['todos:read', 'todos:write']);
    await store.roles.set('reader', ['todos:read']);
    const [user] = await insertUsers(store, { ...aUser('ada'), roles: ['user', 'reader', 'editor'] });
    const session = aSession(user?.id ?? '');
    await store.sessions.insert(session);
    const id = user?.id ?? '';
    deepEqual(await standing(store, session.id), {
      session,
      asOf: 2,
      rightsAsOf: 2,
      user: { id, epoch: 0, disabled: false, roles: ['editor', 'reader', 'user'] },
      scopes: new Set(['todos:read', 'todos:write']),
    });
    await store.users.setRoles(id, []);
    await store.users.setDisabled(id, now);
    await store.users.advanceEpoch(id);
    holds(await standing(store, session.id), {
      user: { id, epoch: 1, disabled: true, roles: [] },
      scopes: new Set<string>(),
    });
    equal(await store.sessions.findStanding('unknown'), undefined);
  },

  'tells with each session the last change of anybody’s roles': async ({ store }) => {
    const [session] = await insertSessions(store, {});
    const id = session?.id ?? '';
    deepEqual(await store.sessions.rotate(id, 1, use), { asOf: 2, rightsAsOf: 2 });
    await append(store, aChange('k'));
    deepEqual(await store.sessions.rotate(id, 2, use), { asOf: 3, rightsAsOf: 2 });
    await append(store, aChange('k'), roleDefinition('editor', []), aChange('k'));
    deepEqual(await store.sessions.rotate(id, 3, use), { asOf: 6, rightsAsOf: 5 });
    await store.append(userOverride('somebody', [], now));
    deepEqual(await store.sessions.rotate(id, 4, use), { asOf: 7, rightsAsOf: 7 });
    holds(await store.sessions.findStanding(id), { asOf: 7, rightsAsOf: 7 });
  },
};
