import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeKinds, roleDefinition, userOverride, type NewChange } from '../src/changes/change.ts';
import { decideRefresh, refreshPolicy } from '../src/sessions/refresh-rotation.ts';
import type { SessionRecord } from '../src/sessions/session.ts';
import type { Store } from '../src/stores/store.ts';
import type { NewUserRecord } from '../src/users/user-store.ts';
import type { TestDatabase } from './databases.ts';

const now = new Date('2026-01-01T00:00:00Z');
const later = new Date('2026-01-02T00:00:00Z');

function aUser(name: string, email?: string): NewUserRecord {
  return {
    id: randomUUID(),
    username: { shown: name, folded: name.toLowerCase() },
    email: email === undefined ? undefined : { shown: email, folded: email.toLowerCase() },
    passwordHash: 'hash',
    roles: ['user'],
    createdAt: now,
  };
}

function aSession(userId: string, id = randomUUID().slice(0, 11)): SessionRecord {
  return {
    id,
    userId,
    userEpoch: 0,
    generation: 1,
    base: 0,
    mintedAt: now,
    rotatedAt: now,
    salt: Buffer.from('0123456789abcdef'),
    scope: undefined,
    createdAt: now,
    lastUsedAt: now,
    idleExpiresAt: later,
    expiresAt: later,
    endedAt: undefined,
    userAgent: 'test',
    address: '127.0.0.1',
  };
}

const aChange = (key: string): NewChange => ({
  kind: changeKinds.sessionDead,
  key,
  issuedUntil: now,
  critical: true,
});

/** What every store must do. A database that passes all of it can hold Sallyport's data. */
export function describeStore(name: string, start: () => Promise<TestDatabase>): void {
  describe(`a store on ${name}`, () => {
    let database: TestDatabase;
    let connect: () => Store;
    let store: Store;

    beforeAll(async () => {
      database = await start();
    });
    afterAll(() => database.stop());
    beforeEach(async () => {
      ({ connect } = await database.create());
      store = connect();
      await store.migrate();
    });
    afterEach(() => store.close());

    async function insertUser(user: NewUserRecord): Promise<unknown> {
      return store.transaction((transaction) => transaction.users.insert(user));
    }

    it('starts with the built-in roles, and announces what they grant', async () => {
      expect(await store.roles.list()).toEqual([
        { name: 'admin', scopes: ['*'], builtIn: true },
        { name: 'user', scopes: [], builtIn: true },
      ]);
      const { head, changes } = await store.changes.readSince(0);
      expect(head).toBe(2);
      expect(changes.map(({ sequence, kind, key, data }) => ({ sequence, kind, key, data }))).toEqual([
        { sequence: 1, kind: changeKinds.roleDefinition, key: 'admin', data: { scopes: ['*'] } },
        { sequence: 2, kind: changeKinds.roleDefinition, key: 'user', data: { scopes: [] } },
      ]);
    });

    it('finds nothing to do when it is migrated again', async () => {
      expect(await store.migrate()).toEqual({ from: 3, to: 3 });
    });

    it('keeps what it was given', async () => {
      const user = aUser('Ada', 'Ada@example.com');
      await insertUser(user);
      const session = aSession(user.id);
      await store.sessions.insert(session);
      expect(await store.users.findByName('ada')).toMatchObject({
        id: user.id,
        username: 'Ada',
        email: 'Ada@example.com',
        roles: ['user'],
        disabled: false,
        createdAt: now,
        epoch: 0,
      });
      const found = await store.sessions.find(session.id);
      expect({ ...found, salt: Buffer.from(found?.salt ?? []) }).toEqual(session);
    });

    it('lets no two users have one name or one e-mail address, and says which it was', async () => {
      await insertUser(aUser('Ada', 'ada@example.com'));
      expect(await insertUser(aUser('ADA'))).toBe('username');
      expect(await insertUser(aUser('Grace', 'ADA@example.com'))).toBe('email');
      expect(await store.users.count()).toBe(1);
      const grace = aUser('Grace');
      await insertUser(grace);
      expect(await store.users.update(grace.id, { username: { shown: 'ada', folded: 'ada' } })).toBe('username');
    });

    it('lists users by name, a page at a time, and searches without wildcards', async () => {
      for (const username of ['delta', 'alpha', 'charlie', 'bravo', 'per%cent']) await insertUser(aUser(username));
      const names = async (query: { limit: number; after?: string; contains?: string }): Promise<string[]> =>
        (await store.users.list({ after: undefined, contains: undefined, ...query })).map((user) => user.username);
      expect(await names({ limit: 2 })).toEqual(['alpha', 'bravo']);
      expect(await names({ limit: 2, after: 'bravo' })).toEqual(['charlie', 'delta']);
      expect(await names({ limit: 9, contains: 'a%' })).toEqual([]);
      expect(await names({ limit: 9, contains: 'r%c' })).toEqual(['per%cent']);
      expect(await names({ limit: 9, contains: 'lt' })).toEqual(['delta']);
    });

    it('undoes everything a transaction did when its work throws', async () => {
      const user = aUser('ada');
      const work = store.transaction(async (transaction) => {
        await transaction.users.insert(user);
        transaction.append(aChange('x'));
        throw new Error('stop');
      });
      await expect(work).rejects.toThrow('stop');
      expect(await store.users.find(user.id)).toBeUndefined();
      expect(await store.changes.head()).toBe(2);
    });

    it('numbers changes without gaps in the order of their commits, however many writers there are', async () => {
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let round = 0; round < 10; round += 1) {
          await store.transaction((transaction) => {
            transaction.append(aChange(`${writer}.${round}.a`));
            transaction.append(aChange(`${writer}.${round}.b`));
            return Promise.resolve();
          });
        }
      });
      const seen: number[] = [];
      let writing = true;
      const reader = async (): Promise<void> => {
        while (writing) {
          const { changes } = await store.changes.readSince(seen.at(-1) ?? 2);
          seen.push(...changes.map((change) => change.sequence));
        }
      };
      const reading = reader();
      await Promise.all(writers);
      writing = false;
      await reading;
      const rest = await store.changes.readSince(seen.at(-1) ?? 2);
      seen.push(...rest.changes.map((change) => change.sequence));
      expect(seen).toEqual(Array.from({ length: 160 }, (_, index) => index + 3));
    });

    it('finds the newest change about a key', async () => {
      await store.transaction((transaction) => {
        transaction.append(aChange('k'));
        transaction.append(aChange('k'));
        return Promise.resolve();
      });
      expect(await store.changes.find(changeKinds.sessionDead, 'k')).toMatchObject({ sequence: 4 });
      expect(await store.changes.find(changeKinds.tokenDead, 'k')).toBeUndefined();
    });

    it('lets exactly one of many concurrent calls rotate a session', async () => {
      const user = aUser('ada');
      await insertUser(user);
      const session = aSession(user.id);
      await store.sessions.insert(session);
      const use = { now, idleExpiresAt: later };
      const wins = await Promise.all(Array.from({ length: 20 }, () => store.sessions.rotate(session.id, 1, use)));
      expect(wins.filter((standing) => standing !== undefined)).toHaveLength(1);
      expect(await store.sessions.find(session.id)).toMatchObject({ generation: 2, base: 1 });
    });

    it('ends a session and says so in the log, in a transaction and outside', async () => {
      const user = aUser('ada');
      await insertUser(user);
      const [one, other, undone] = [aSession(user.id), { ...aSession(user.id), mintedAt: later }, aSession(user.id)];
      for (const session of [one, other, undone]) await store.sessions.insert(session);
      expect(await store.sessions.end(one.id, 'signed_out', now)).toBe(true);
      expect(await store.sessions.end(one.id, 'signed_out', now)).toBe(false);
      expect(await store.sessions.end('unknown', 'signed_out', now)).toBe(false);
      await store.transaction(async (transaction) => {
        expect(await transaction.sessions.end(other.id, 'signed_out', now)).toBe(true);
        expect(await transaction.sessions.end(other.id, 'signed_out', now)).toBe(false);
      });
      const work = store.transaction(async (transaction) => {
        await transaction.sessions.end(undone.id, 'signed_out', now);
        throw new Error('stop');
      });
      await expect(work).rejects.toThrow('stop');
      expect(await store.sessions.find(one.id)).toMatchObject({ endedAt: now });
      expect(await store.sessions.find(undone.id)).toMatchObject({ endedAt: undefined });
      const { changes } = await store.changes.readSince(2);
      // Until the last token has expired that can have been minted for it.
      const expiries = [now, later].map((moment) => moment.getTime() / 1000 + 60);
      expect(changes.map(({ kind, key, expiresAt }) => [kind, key, expiresAt])).toEqual([
        [changeKinds.sessionDead, one.id, expiries[0]],
        [changeKinds.sessionDead, other.id, expiries[1]],
      ]);
    });

    it('appends a change by itself, and many at once without gaps', async () => {
      const keys = Array.from({ length: 30 }, (_, index) => `key-${String(index)}`);
      await Promise.all(keys.map((key) => store.append(aChange(key))));
      const { head, changes } = await store.changes.readSince(2);
      expect(head).toBe(32);
      expect(changes.map(({ sequence }) => sequence)).toEqual(keys.map((_, index) => index + 3));
      expect(changes.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
    });

    it('neither rotates nor forks a session that has ended', async () => {
      const user = aUser('ada');
      await insertUser(user);
      const session = aSession(user.id);
      await store.sessions.insert(session);
      expect(await store.sessions.end(session.id, 'signed_out', now)).toBe(true);
      expect(await store.sessions.end(session.id, 'signed_out', now)).toBe(false);
      expect(await store.sessions.rotate(session.id, 1, { now, idleExpiresAt: later })).toBeUndefined();
      expect(await store.sessions.fork(session.id, 1, { now, idleExpiresAt: later })).toBe(false);
    });

    it('rotates exactly the sessions that the rule of rotation would let rotate, and tells how they stand then', async () => {
      const policy = refreshPolicy('resilient', 86_400);
      const states = [
        {},
        { generation: 7, base: 4 },
        { generation: 2 },
        { endedAt: now },
        { expiresAt: now },
        { idleExpiresAt: now },
        { expiresAt: new Date(now.getTime() + 1) },
        { userEpoch: 1 },
      ];
      const user = aUser('ada');
      await insertUser(user);
      const disabled = aUser('grace');
      await insertUser(disabled);
      await store.users.setDisabled(disabled.id, now);
      const sessions = states.map((state) => ({ ...aSession(user.id), ...state }));
      sessions.push(aSession(disabled.id));
      for (const session of sessions) {
        await store.sessions.insert(session);
        if (session.endedAt !== undefined) await store.sessions.end(session.id, 'signed_out', now);
        for (const presented of [1, 7]) {
          const before = await store.sessions.findStanding(session.id);
          if (before === undefined) throw new Error('the session is missing');
          const mayGoOn = !before.user.disabled && before.user.epoch === before.session.userEpoch;
          const expected = mayGoOn && decideRefresh(before.session, presented, now, policy) === 'rotate';
          const use = { now, idleExpiresAt: later, address: '::1' };
          const position = await store.sessions.rotate(session.id, presented, use);
          const after = await store.sessions.findStanding(session.id);
          if (expected) {
            expect(position).toEqual({ asOf: after?.asOf, rightsAsOf: after?.rightsAsOf });
            const { idleExpiresAt, address } = use;
            const changed = { base: presented, generation: presented + 1, mintedAt: now, rotatedAt: now };
            const written = { ...before.session, ...changed, lastUsedAt: now, idleExpiresAt, address };
            expect(after).toEqual({ ...before, session: written });
          } else {
            expect(position).toBeUndefined();
            expect(after).toEqual(before);
          }
        }
      }
    });

    it('tells with each session the last change of anybody’s roles', async () => {
      const user = aUser('ada');
      await insertUser(user);
      const session = aSession(user.id);
      await store.sessions.insert(session);
      const append = async (...changes: readonly NewChange[]): Promise<void> =>
        store.transaction((transaction) => {
          for (const change of changes) transaction.append(change);
          return Promise.resolve();
        });
      const use = { now, idleExpiresAt: later };
      expect(await store.sessions.rotate(session.id, 1, use)).toEqual({ asOf: 2, rightsAsOf: 2 });
      await append(aChange('k'));
      expect(await store.sessions.rotate(session.id, 2, use)).toEqual({ asOf: 3, rightsAsOf: 2 });
      await append(aChange('k'), roleDefinition('editor', []), aChange('k'));
      expect(await store.sessions.rotate(session.id, 3, use)).toEqual({ asOf: 6, rightsAsOf: 5 });
      await append(userOverride('somebody', [], now));
      expect(await store.sessions.rotate(session.id, 4, use)).toEqual({ asOf: 7, rightsAsOf: 7 });
      expect(await store.sessions.findStanding(session.id)).toMatchObject({ asOf: 7, rightsAsOf: 7 });
    });

    it('reads at once a session, its user, what the roles grant, and how far the log had come', async () => {
      await store.roles.set('editor', ['todos:read', 'todos:write']);
      await store.roles.set('reader', ['todos:read']);
      const user = { ...aUser('ada'), roles: ['user', 'reader', 'editor'] };
      await insertUser(user);
      const session = aSession(user.id);
      await store.sessions.insert(session);
      const standing = await store.sessions.findStanding(session.id);
      expect({ ...standing?.session, salt: Buffer.from(standing?.session.salt ?? []) }).toEqual(session);
      expect(standing).toMatchObject({
        asOf: 2,
        user: { id: user.id, epoch: 0, disabled: false, roles: ['editor', 'reader', 'user'] },
        scopes: new Set(['todos:read', 'todos:write']),
      });
      await store.users.setRoles(user.id, []);
      await store.users.setDisabled(user.id, now);
      expect(await store.sessions.findStanding(session.id)).toMatchObject({
        user: { disabled: true, roles: [] },
        scopes: new Set(),
      });
      expect(await store.sessions.findStanding('unknown')).toBeUndefined();
    });

    it('counts and lists only sessions that are live', async () => {
      const user = aUser('ada');
      await insertUser(user);
      const [live, ended, older] = [aSession(user.id), aSession(user.id), { ...aSession(user.id), userEpoch: -1 }];
      for (const session of [live, ended, older]) await store.sessions.insert(session);
      await store.sessions.end(ended.id, 'signed_out', now);
      expect((await store.sessions.listLive(user.id, 0, now)).map((session) => session.id)).toEqual([live.id]);
      expect(await store.sessions.countLive(now)).toBe(1);
      expect(await store.sessions.countLive(later)).toBe(0);
      expect(await store.sessions.countLive(now, { userId: user.id, userEpoch: 0 })).toBe(1);
    });

    it('prunes sessions that ended or expired before a moment, a stretch at a time, and no others', async () => {
      const user = aUser('ada');
      await insertUser(user);
      const before = new Date(later.getTime() + 1);
      const much = new Date(later.getTime() + 1000);
      const ids = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => `${id}0000000000`);
      const [live = '', ended = '', idle = '', over = '', recent = '', last = ''] = ids;
      const lives = { idleExpiresAt: much, expiresAt: much };
      for (const id of [live, ended, recent, last]) await store.sessions.insert({ ...aSession(user.id, id), ...lives });
      await store.sessions.insert({ ...aSession(user.id, idle), ...lives, idleExpiresAt: later });
      await store.sessions.insert({ ...aSession(user.id, over), ...lives, expiresAt: later });
      await store.sessions.end(ended, 'signed_out', now);
      await store.sessions.end(recent, 'signed_out', before);
      expect(await store.sessions.prune('', 3, before)).toEqual({ removed: 2, next: idle });
      expect(await store.sessions.prune(idle, 3, before)).toEqual({ removed: 1, next: last });
      expect(await store.sessions.prune(last, 3, before)).toEqual({ removed: 0, next: undefined });
      const left = await Promise.all(
        ids.map(async (id) => ((await store.sessions.find(id)) === undefined ? [] : [id])),
      );
      expect(left.flat()).toEqual([live, recent, last]);
    });

    it('prunes changes that expired before a moment, and never those that concern tokens for ever', async () => {
      await store.transaction((transaction) => {
        transaction.append(aChange('old'));
        transaction.append({ ...aChange('for ever'), issuedUntil: undefined });
        transaction.append({ ...aChange('new'), issuedUntil: later });
        return Promise.resolve();
      });
      const expired = new Date(now.getTime() + 61_000);
      expect(await store.changes.prune(0, 4, expired)).toEqual({ removed: 1, next: 4 });
      expect(await store.changes.prune(4, 4, expired)).toEqual({ removed: 0, next: undefined });
      const { head, changes } = await store.changes.readSince(0);
      expect(head).toBe(5);
      expect(changes.map(({ key }) => key)).toEqual(['admin', 'user', 'for ever', 'new']);
    });

    it('lets several prune at once', async () => {
      const user = aUser('ada');
      await insertUser(user);
      for (let count = 0; count < 60; count += 1) await store.sessions.insert(aSession(user.id));
      const much = new Date(later.getTime() + 1000);
      const removed = await Promise.all(Array.from({ length: 6 }, () => store.sessions.prune('', 500, much)));
      expect(removed.reduce((sum, each) => sum + each.removed, 0)).toBe(60);
    });

    it('tells when tokens were last made for a user', async () => {
      const user = aUser('ada');
      await insertUser(user);
      expect(await store.sessions.lastMinted(user.id)).toBeUndefined();
      await store.sessions.insert(aSession(user.id));
      await store.sessions.insert({ ...aSession(user.id), mintedAt: later });
      expect(await store.sessions.lastMinted(user.id)).toEqual(later);
    });

    it('has the time of its own computer, if that is another one', async () => {
      const time = await store.changes.time();
      if (name === 'PostgreSQL') expect(Math.abs((time?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
      else expect(time).toBeUndefined();
    });

    it('removes with a user everything that is theirs', async () => {
      const user = aUser('ada');
      await insertUser(user);
      const session = aSession(user.id);
      await store.sessions.insert(session);
      await store.users.delete(user.id);
      expect(await store.sessions.find(session.id)).toBeUndefined();
      expect(await store.users.rolesOfHolders('user')).toEqual(new Map());
    });

    it('replaces a password hash only while it is the one that was verified', async () => {
      const user = aUser('ada');
      await insertUser(user);
      await store.users.replacePasswordHash(user.id, 'another', 'new');
      expect((await store.users.find(user.id))?.passwordHash).toBe('hash');
      await store.users.replacePasswordHash(user.id, 'hash', 'new');
      expect((await store.users.find(user.id))?.passwordHash).toBe('new');
    });

    if (name !== 'SQLite in memory') {
      it('finds its data again', async () => {
        await insertUser(aUser('ada'));
        const again = connect();
        expect(await again.users.count()).toBe(1);
        await again.close();
      });
    }
  });
}
