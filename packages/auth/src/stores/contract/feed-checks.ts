import { deepEqual, equal } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { changeKinds } from '../../changes/change.ts';
import type { FeedCredentialRecord } from '../../feed/feed-credential.ts';
import type { PresentGuard } from '../../feed/guard-store.ts';
import type { Store } from '../store.ts';
import { aChange, append, later, now, shifted } from './records.ts';
import { holds, numbers, type Checks } from './trial.ts';

const aCredential = (id: string, name: string): FeedCredentialRecord => ({
  id,
  name,
  secretHash: 'hash',
  createdAt: now,
});

const aGuard = (id: string, acknowledged: number, seconds: number, node = 'n'): PresentGuard => ({
  id,
  node,
  acknowledged,
  leaseUntil: shifted(now, seconds * 1000),
});

const keysOf = (changes: readonly { readonly key: string }[]): string[] => changes.map(({ key }) => key);

/** How long a watcher may take to hear of a change, in milliseconds, and how often somebody looks. */
const patience = 20_000;
const pause = 50;

/** Appends until whoever watches has been woken: the first change may come before anybody listens. */
async function appendUntil(store: Store, isWoken: () => boolean): Promise<void> {
  for (let left = patience / pause; !isWoken(); left -= 1) {
    if (left === 0) throw new Error(`nobody was woken within ${String(patience)} ms`);
    await append(store, aChange('k'));
    await delay(pause);
  }
}

/** What a store must do for the feed: handing the log on to guards elsewhere. */
export const feedChecks: Checks = {
  'reads the log between two places, a page at a time': async ({ store }) => {
    await append(store, aChange('a'), aChange('b'), aChange('c'));
    deepEqual(keysOf(await store.changes.readBetween(2, 5, 2)), ['a', 'b']);
    deepEqual(keysOf(await store.changes.readBetween(3, 4, 9)), ['b']);
    deepEqual(keysOf(await store.changes.readBetween(5, 9, 9)), []);
  },

  'reads what never expires, and what has not expired in the order in which it does': async ({ store }) => {
    await append(
      store,
      aChange('later', { issuedUntil: later }),
      aChange('a'),
      aChange('b'),
      aChange('for ever', { issuedUntil: undefined }),
      aChange('c'),
    );
    deepEqual(keysOf(await store.changes.readLasting(0, 7, 2)), ['admin', 'user']);
    deepEqual(keysOf(await store.changes.readLasting(2, 7, 2)), ['for ever']);
    deepEqual(keysOf(await store.changes.readLasting(2, 5, 2)), []);
    const expiresAt = now.getTime() / 1000 + 60;
    deepEqual(keysOf(await store.changes.readExpiring({ expiresAt: 0, sequence: 0 }, 7, 2)), ['a', 'b']);
    deepEqual(keysOf(await store.changes.readExpiring({ expiresAt, sequence: 4 }, 7, 9)), ['b', 'c', 'later']);
    deepEqual(keysOf(await store.changes.readExpiring({ expiresAt, sequence: 7 }, 7, 9)), ['later']);
    deepEqual(keysOf(await store.changes.readExpiring({ expiresAt: 0, sequence: 0 }, 4, 9)), ['a', 'later']);
  },

  'tells all that stands at the head of the log at once': async ({ store }) => {
    await store.transaction((transaction) => transaction.raiseTokenLifetime(600));
    await append(store, aChange('k'));
    const { incarnation } = await store.changes.readSince(0);
    holds(await store.changes.position(), { incarnation, head: 3, tokenLifetime: 600 });
  },

  'gives another lineage another name, and numbers far beyond those of the one before': async ({ store }) => {
    await store.transaction(async (transaction) => {
      transaction.append(aChange('first'));
      await transaction.beginIncarnation('another');
    });
    holds(await store.changes.position(), { incarnation: 'another', head: 1_000_000_003 });
    holds(await store.changes.find(changeKinds.sessionDead, 'first'), { sequence: 1_000_000_003 });
  },

  'wakes who watches when the log has grown, whoever made it grow, and only while they watch': async ({
    store,
    reopen,
  }) => {
    let wakes = 0;
    const stop = store.watch(() => {
      wakes += 1;
    });
    for (const other of [store, reopen()]) {
      const before = wakes;
      await appendUntil(other, () => wakes > before);
    }
    stop();
    const after = wakes;
    await append(store, aChange('k'));
    await store.ping();
    equal(wakes, after);
  },

  'keeps feed credentials by their names, and counts how often they change': async ({ store }) => {
    const version = async (): Promise<number> => (await store.changes.position()).credentialVersion;
    const before = await version();
    equal(await store.feedCredentials.insert(aCredential('1', 'todos')), true);
    equal(await store.feedCredentials.insert(aCredential('2', 'todos')), false);
    equal(await store.feedCredentials.insert(aCredential('3', 'notes')), true);
    equal(await version(), before + 2);
    deepEqual(await store.feedCredentials.find('1'), aCredential('1', 'todos'));
    deepEqual(
      (await store.feedCredentials.list()).map(({ name }) => name),
      ['notes', 'todos'],
    );
    deepEqual(await store.feedCredentials.delete('todos'), aCredential('1', 'todos'));
    equal(await store.feedCredentials.delete('todos'), undefined);
    equal(await store.feedCredentials.find('1'), undefined);
    equal(await version(), before + 3);
  },

  'keeps guards, whose leases and places never move back': async ({ store }) => {
    const at = (seconds: number): Date => shifted(now, seconds * 1000);
    deepEqual(await store.guards.progress(now, now), { guards: 0, lapsed: 0, lowest: undefined });
    await store.guards.renew([aGuard('b', 5, 30), aGuard('a', 3, 10)]);
    deepEqual(await store.guards.progress(now, now), { guards: 2, lapsed: 0, lowest: 3 });
    deepEqual(await store.guards.progress(now, at(10)), { guards: 2, lapsed: 1, lowest: 5 });
    deepEqual(await store.guards.progress(now, at(30)), { guards: 2, lapsed: 2, lowest: undefined });
    deepEqual(await store.guards.progress(at(10), at(10)), { guards: 1, lapsed: 0, lowest: 5 });
    await store.guards.renew([aGuard('a', 4, 5, 'm'), aGuard('b', 4, 40), aGuard('c', 9, 1)]);
    deepEqual(await store.guards.listLeased(at(5)), [aGuard('a', 4, 10, 'm'), aGuard('b', 5, 40)]);
    await store.guards.remove('a');
    equal(await store.guards.prune(at(20)), 1);
    deepEqual(
      (await store.guards.listLeased(at(-1))).map(({ id }) => id),
      ['b'],
    );
  },

  'writes many guards at once, from several sides': async ({ store }) => {
    const guards = numbers(1, 1_200).map((index) => aGuard(`guard-${String(index)}`, index, 30));
    await Promise.all([store.guards.renew(guards), store.guards.renew(guards.toReversed())]);
    equal((await store.guards.listLeased(now)).length, 1_200);
  },
};
