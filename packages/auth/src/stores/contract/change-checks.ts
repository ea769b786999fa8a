import { deepEqual, equal } from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { changeKinds } from '../../changes/change.ts';
import { aChange, append, later, now, shifted } from './records.ts';
import { atOnce, holds, numbers, type Checks } from './trial.ts';

const writerCount = 8;
const roundsOfEach = 10;

/** What a store must do for the change log. */
export const changeChecks: Checks = {
  'keeps changes as they were given, and tells those after a place': async ({ store }) => {
    const before = await store.changes.readSince(0);
    await append(
      store,
      aChange('one', { data: { roles: ['a', 'b'] } }),
      aChange('two', { kind: 4711, critical: false, acknowledge: true, issuedUntil: undefined, data: null }),
    );
    const { changes, ...position } = await store.changes.readSince(2);
    deepEqual(position, { ...(await store.changes.position()), head: 4, incarnation: before.incarnation });
    const expiresAt = now.getTime() / 1000 + 60;
    deepEqual(changes, [
      {
        sequence: 3,
        kind: changeKinds.sessionDead,
        key: 'one',
        expiresAt,
        critical: true,
        acknowledge: false,
        data: { roles: ['a', 'b'] },
      },
      { sequence: 4, kind: 4711, key: 'two', expiresAt: undefined, critical: false, acknowledge: true, data: null },
    ]);
    deepEqual(await store.changes.readSince(2, 1), { ...position, changes: changes.slice(0, 1) });
    deepEqual(await store.changes.readSince(4), { ...position, changes: [] });
    equal(await store.changes.head(), 4);
  },

  'numbers changes without gaps in the order of their commits, however many write them': async ({ store }) => {
    const seen: number[] = [];
    const readOn = async (): Promise<void> => {
      const { changes } = await store.changes.readSince(seen.at(-1) ?? 2);
      seen.push(...changes.map(({ sequence }) => sequence));
    };
    const writers = { areWriting: true };
    const writing = atOnce(writerCount, async (writer) => {
      for (let round = 0; round < roundsOfEach; round += 1) {
        const key = `${String(writer)}.${String(round)}`;
        await append(store, aChange(`${key}.a`), aChange(`${key}.b`));
        await store.append(aChange(`${key}.c`));
      }
    }).finally(() => {
      writers.areWriting = false;
    });
    // Whoever follows the log misses nothing that is committed later under an earlier number.
    while (writers.areWriting) {
      await readOn();
      // A store that answers without I/O may have timers all the same.
      await setImmediate();
    }
    await writing;
    await readOn();
    deepEqual(seen, numbers(3, 2 + 3 * writerCount * roundsOfEach));
  },

  'appends changes that come at once together, each once': async ({ store }) => {
    const keys = numbers(1, 60).map((index) => `key-${String(index)}`);
    await Promise.all(keys.map((key) => store.append(aChange(key))));
    const { head, changes } = await store.changes.readSince(2);
    equal(head, 62);
    deepEqual(
      changes.map(({ sequence }) => sequence),
      numbers(3, 62),
    );
    deepEqual(changes.map(({ key }) => key).toSorted(), keys.toSorted());
  },

  'finds the newest change of a kind about a key': async ({ store }) => {
    await append(store, aChange('k'), aChange('k'), aChange('another'));
    holds(await store.changes.find(changeKinds.sessionDead, 'k'), { sequence: 4 });
    equal(await store.changes.find(changeKinds.tokenDead, 'k'), undefined);
    equal(await store.changes.find(changeKinds.sessionDead, 'unknown'), undefined);
  },

  'finds what many look for at once, each for itself, whatever stands beside it': async ({ store }) => {
    await append(store, aChange('k'), aChange('another'));
    const keys = ['k', 'unknown', 'k', 'another', 'k'];
    // No database has it, and some refuse to look.
    const strange = store.changes.find(changeKinds.sessionDead, 'a\0b').catch(() => undefined);
    const found = await Promise.all(keys.map((key) => store.changes.find(changeKinds.sessionDead, key)));
    deepEqual(
      found.map((change) => change?.sequence),
      [3, undefined, 3, 4, 3],
    );
    equal(await strange, undefined);
  },

  'lets changes outlive the longest-lived token there ever was': async ({ store }) => {
    equal(await store.changes.tokenLifetime(), 0);
    await store.transaction((transaction) => transaction.raiseTokenLifetime(600));
    await store.transaction((transaction) => transaction.raiseTokenLifetime(300));
    equal(await store.changes.tokenLifetime(), 600);
    await store.append(aChange('k', { issuedUntil: shifted(now, 1) }));
    holds(await store.changes.find(changeKinds.sessionDead, 'k'), { expiresAt: now.getTime() / 1000 + 1 + 660 });
  },

  'removes changes that expired before a moment, and never those that concern tokens for ever': async ({ store }) => {
    await append(
      store,
      aChange('old'),
      aChange('for ever', { issuedUntil: undefined }),
      aChange('new', { issuedUntil: later }),
    );
    const expired = shifted(now, 61_000);
    deepEqual(await store.changes.prune(0, 4, shifted(now, 60_000)), { removed: 0, next: 4 });
    deepEqual(await store.changes.prune(0, 4, expired), { removed: 1, next: 4 });
    deepEqual(await store.changes.prune(4, 4, expired), { removed: 0, next: undefined });
    const { head, changes } = await store.changes.readSince(0);
    equal(head, 5);
    deepEqual(
      changes.map(({ key }) => key),
      ['admin', 'user', 'for ever', 'new'],
    );
  },
};
