import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeKinds, type NewChange } from '../src/changes/change.ts';
import type { FeedCredentialRecord } from '../src/feed/feed-credential.ts';
import type { PresentGuard } from '../src/feed/guard-store.ts';
import type { Store } from '../src/stores/store.ts';
import type { TestDatabase } from './databases.ts';

const now = new Date('2026-01-01T00:00:00Z');
const later = new Date('2026-01-02T00:00:00Z');

const aChange = (key: string): NewChange => ({ kind: changeKinds.sessionDead, key, issuedUntil: now, critical: true });

/** What a store must do besides for the log to be handed on to guards elsewhere. */
export function describeFeedStore(name: string, start: () => Promise<TestDatabase>): void {
  describe(`what the feed needs of a store on ${name}`, () => {
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

    it('reads the log between two places, and what has not expired, a page at a time', async () => {
      await store.transaction((transaction) => {
        for (const key of ['a', 'b', 'c']) transaction.append(aChange(key));
        transaction.append({ ...aChange('later'), issuedUntil: later });
        transaction.append({ ...aChange('for ever'), issuedUntil: undefined, acknowledge: true });
        return Promise.resolve();
      });
      const keys = (changes: readonly { key: string }[]): string[] => changes.map(({ key }) => key);
      expect(keys(await store.changes.readBetween(2, 7, 2))).toEqual(['a', 'b']);
      expect(keys(await store.changes.readBetween(4, 6, 9))).toEqual(['c', 'later']);
      expect(await store.changes.readBetween(6, 7, 9)).toMatchObject([{ sequence: 7, acknowledge: true }]);
      expect(keys(await store.changes.readLasting(0, 7, 2))).toEqual(['admin', 'user']);
      expect(keys(await store.changes.readLasting(2, 7, 2))).toEqual(['for ever']);
      const expiresAt = now.getTime() / 1000 + 60;
      expect(keys(await store.changes.readExpiring({ expiresAt: 0, sequence: 0 }, 6, 2))).toEqual(['a', 'b']);
      expect(keys(await store.changes.readExpiring({ expiresAt, sequence: 4 }, 6, 9))).toEqual(['c', 'later']);
      expect(keys(await store.changes.readExpiring({ expiresAt: expiresAt + 1, sequence: 0 }, 5, 9))).toEqual([]);
    });

    it('wakes who watches when the log has grown, whoever made it grow, and only then', async () => {
      const other = name.includes('memory') ? store : connect();
      let wakes = 0;
      const stop = store.watch(() => (wakes += 1));
      const append = (): Promise<void> =>
        other.transaction((transaction) => {
          transaction.append(aChange('k'));
          return Promise.resolve();
        });
      // The first may come before anybody listens.
      await expect.poll(() => append().then(() => wakes), { timeout: 30_000, interval: 100 }).toBeGreaterThan(0);
      for (let round = 0; round < 3; round += 1) {
        const before = wakes;
        await append();
        await expect.poll(() => wakes, { timeout: 30_000 }).toBeGreaterThan(before);
      }
      stop();
      const after = wakes;
      await append();
      await store.ping();
      expect(wakes).toBe(after);
      if (other !== store) await other.close();
    });

    it('gives another lineage another name, and numbers far beyond those of the one before', async () => {
      const before = await store.changes.position();
      await store.transaction(async (transaction) => {
        transaction.append(aChange('first'));
        await transaction.beginIncarnation('another');
      });
      const after = await store.changes.position();
      expect(after).toMatchObject({ incarnation: 'another', head: before.head + 1_000_000_001 });
      expect(await store.changes.find(changeKinds.sessionDead, 'first')).toMatchObject({ sequence: after.head });
    });

    it('keeps feed credentials by their names, and counts how often they change', async () => {
      const aCredential = (id: string, called: string): FeedCredentialRecord => ({
        id,
        name: called,
        secretHash: 'hash',
        createdAt: now,
      });
      const version = async (): Promise<number> => (await store.changes.position()).credentialVersion;
      const before = await version();
      expect(await store.feedCredentials.insert(aCredential('1', 'todos'))).toBe(true);
      expect(await store.feedCredentials.insert(aCredential('2', 'todos'))).toBe(false);
      expect(await store.feedCredentials.insert(aCredential('3', 'notes'))).toBe(true);
      expect(await version()).toBe(before + 2);
      expect(await store.feedCredentials.find('1')).toEqual(aCredential('1', 'todos'));
      expect((await store.feedCredentials.list()).map((each) => each.name)).toEqual(['notes', 'todos']);
      expect(await store.feedCredentials.delete('todos')).toEqual(aCredential('1', 'todos'));
      expect(await store.feedCredentials.delete('todos')).toBeUndefined();
      expect(await store.feedCredentials.find('1')).toBeUndefined();
      expect(await version()).toBe(before + 3);
    });

    it('keeps guards, whose leases and places never move back', async () => {
      const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
      const aGuard = (id: string, acknowledged: number, until: number): PresentGuard => ({
        id,
        node: 'n',
        acknowledged,
        leaseUntil: at(until),
      });
      expect(await store.guards.lowestPlace(now)).toBeUndefined();
      await store.guards.renew([aGuard('b', 5, 30), aGuard('a', 3, 10)]);
      expect(await store.guards.lowestPlace(now)).toBe(3);
      expect(await store.guards.lowestPlace(at(10))).toBe(5);
      await store.guards.renew([{ ...aGuard('a', 4, 5), node: 'm' }, aGuard('b', 4, 40), aGuard('c', 9, 1)]);
      expect(await store.guards.listLeased(at(5))).toEqual([{ ...aGuard('a', 4, 10), node: 'm' }, aGuard('b', 5, 40)]);
      await store.guards.remove('a');
      expect(await store.guards.prune(at(20))).toBe(1);
      expect((await store.guards.listLeased(at(-1))).map(({ id }) => id)).toEqual(['b']);
    });

    it('writes many guards at once, from several processes', async () => {
      const guards = Array.from({ length: 1_200 }, (_, index) => ({
        id: `guard-${String(index)}`,
        node: 'n',
        acknowledged: index,
        leaseUntil: later,
      }));
      await Promise.all([store.guards.renew(guards), store.guards.renew(guards.toReversed())]);
      expect(await store.guards.listLeased(now)).toHaveLength(1_200);
    });
  });
}
