import { randomUUID } from 'node:crypto';
import { changeKinds, type NewChange } from '../../changes/change.ts';
import type { SessionUse } from '../../sessions/session-store.ts';
import type { SessionRecord } from '../../sessions/session.ts';
import type { NewUserRecord } from '../../users/user-store.ts';
import type { Store } from '../store.ts';

/** When everything in a check happens, and a day after. */
export const now: Date = new Date('2026-01-01T00:00:00Z');
export const later: Date = new Date('2026-01-02T00:00:00Z');

/** A moment some milliseconds off another. */
export const shifted = (moment: Date, milliseconds: number): Date => new Date(moment.getTime() + milliseconds);

export function aUser(name: string, email?: string): NewUserRecord {
  return {
    id: randomUUID(),
    username: { shown: name, folded: name.toLowerCase() },
    email: email === undefined ? undefined : { shown: email, folded: email.toLowerCase() },
    passwordHash: 'hash',
    roles: ['user'],
    createdAt: now,
  };
}

/** Inserts users; gives them back. */
export async function insertUsers(store: Store, ...users: readonly NewUserRecord[]): Promise<readonly NewUserRecord[]> {
  for (const user of users) await store.transaction((transaction) => transaction.users.insert(user));
  return users;
}

export function aSession(userId: string, state: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: randomUUID().slice(0, 11),
    userId,
    userEpoch: 0,
    generation: 1,
    base: 0,
    mintedAt: now,
    rotatedAt: now,
    salt: new Uint8Array([0, 1, 127, 128, 255]),
    scope: undefined,
    createdAt: now,
    lastUsedAt: now,
    idleExpiresAt: later,
    expiresAt: later,
    endedAt: undefined,
    userAgent: 'test',
    address: '127.0.0.1',
    ...state,
  };
}

/** A user with sessions in these states. */
export async function insertSessions(
  store: Store,
  ...states: readonly Partial<SessionRecord>[]
): Promise<readonly SessionRecord[]> {
  const [user] = await insertUsers(store, aUser(`user-${randomUUID().slice(0, 8)}`));
  const sessions = states.map((state) => aSession(user?.id ?? '', state));
  for (const session of sessions) {
    await store.sessions.insert({ ...session, endedAt: undefined });
    if (session.endedAt !== undefined) await store.sessions.end(session.id, 'signed_out', session.endedAt);
  }
  return sessions;
}

/** Databases may give bytes in classes of their own. */
export const withPlainSalt = <Session extends Pick<SessionRecord, 'salt'>>(session: Session): Session => ({
  ...session,
  salt: new Uint8Array(session.salt),
});

/** A use of a session at `now`. */
export const use: SessionUse = { now, idleExpiresAt: later };

export function aChange(key: string, more: Partial<NewChange> = {}): NewChange {
  return { kind: changeKinds.sessionDead, key, issuedUntil: now, critical: true, ...more };
}

/** Appends changes by one transaction. */
export function append(store: Store, ...changes: readonly NewChange[]): Promise<void> {
  return store.transaction((transaction) => {
    for (const change of changes) transaction.append(change);
    return Promise.resolve();
  });
}
