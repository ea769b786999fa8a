import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, vi, type Mock } from 'vitest';
import { Confirmations, type ConfirmationDependencies } from '../src/feed/confirmations.ts';
import { aClock, type TestClock } from './auth-fixture.ts';
import type { ChangeStore } from '../src/changes/change-store.ts';
import type { Change } from '../src/changes/change.ts';
import { AuthError } from '../src/errors.ts';
import { EntryRing } from '../src/feed/entry-ring.ts';
import type { GuardStore, PresentGuard } from '../src/feed/guard-store.ts';
import { steadyTime } from '../src/ports.ts';
import { sqlite } from '../src/stores/sqlite.ts';

const away = (): AuthError => new AuthError('store_unavailable', 'away', { retryAfter: 1 });

interface Fixture {
  readonly confirmations: Confirmations;
  readonly clock: TestClock;
  readonly guards: GuardStore;
  readonly find: Mock<ChangeStore['find']>;
}

/** What this process knows by itself. */
type Known = ConfirmationDependencies['feed'];
const noGuardsHere: Known = { placeHere: Infinity, placeOfEnd: () => undefined, readUpTo: 0 };

/** Waiting over a store whose log finds nothing under the key `lost`, and the third entry under `third`. */
async function waitForGuards(feed: Known = noGuardsHere): Promise<Fixture> {
  const store = sqlite(':memory:');
  await store.migrate();
  const find = vi.fn<ChangeStore['find']>((_kind, key) =>
    key === 'lost' ? Promise.reject(away()) : Promise.resolve(key === 'third' ? third : undefined),
  );
  const changes = Object.assign(Object.create(store.changes), { find }) as typeof store.changes;
  const { guards } = store;
  const clock = aClock();
  return { confirmations: new Confirmations({ store: { changes, guards }, clock, feed }), clock, guards, find };
}

/** A guard of another process that has got to a place, and may grant for 30 seconds. */
const aGuard = (clock: TestClock, acknowledged: number): PresentGuard => ({
  id: 'g',
  node: 'another',
  acknowledged,
  leaseUntil: new Date(clock().getTime() + 30_000),
});

const third: Change = { sequence: 3, kind: 1, key: 'third', expiresAt: undefined, critical: true, acknowledge: true };

const nothing = (): Promise<void> => Promise.resolve();

/** Whether it has ended after so many milliseconds. */
function endsWithin(milliseconds: number, waiting: Promise<unknown>): Promise<boolean> {
  return Promise.race([waiting.then(() => true), pause(milliseconds).then(() => false)]);
}

it('tells whoever waits for a change that cannot be looked up, and nobody else', async () => {
  const { confirmations } = await waitForGuards();
  const [lost, other] = ['lost', 'found'].map((key) => confirmations.of({ kind: 1, key }, nothing));
  await expect(lost).rejects.toMatchObject({ code: 'store_unavailable' });
  expect((await other)?.confirmation).toMatchObject({ acknowledged: 0, lapsed: 0, pending: 0 });
});

it('waits for nobody any more once it has been stopped, also when what was done ends only then', async () => {
  const { confirmations } = await waitForGuards();
  const before = confirmations.of({ kind: 1, key: 'found' }, () => new Promise((resolve) => setImmediate(resolve)));
  confirmations.stop();
  await expect(before).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(confirmations.of({ kind: 1, key: 'found' }, nothing)).rejects.toMatchObject({
    code: 'store_unavailable',
  });
});

it('hardly asks the database while a guard of its own process seems to be behind', async () => {
  const { confirmations, clock, guards } = await waitForGuards({ ...noGuardsHere, placeHere: 2 });
  await guards.renew([aGuard(clock, 2)]);
  const asked = vi.spyOn(guards, 'progress');
  const [waiting, began] = [confirmations.of({ kind: 1, key: 'third' }, nothing), steadyTime()];
  await pause(200);
  expect(asked.mock.calls.length).toBeLessThanOrEqual((steadyTime() - began) / 50 + 1);
  // It may have gone elsewhere.
  await guards.renew([aGuard(clock, 3)]);
  expect((await waiting).confirmation).toMatchObject({ acknowledged: 1, lapsed: 0, pending: 0 });
});

it('asks the database less and less often while a guard elsewhere is behind', async () => {
  const { confirmations, clock, guards } = await waitForGuards();
  await guards.renew([aGuard(clock, 2)]);
  const asked = vi.spyOn(guards, 'progress');
  const [waiting, began] = [confirmations.of({ kind: 1, key: 'third' }, nothing), steadyTime()];
  await pause(400);
  expect(asked.mock.calls.length).toBeLessThanOrEqual((steadyTime() - began) / 50 + 5);
  await guards.renew([aGuard(clock, 3)]);
  expect((await waiting).confirmation).toMatchObject({ acknowledged: 1, lapsed: 0, pending: 0 });
});

it('goes on waiting when the clock is set back meanwhile', async () => {
  const { confirmations, clock, guards } = await waitForGuards();
  await guards.renew([aGuard(clock, 2)]);
  clock.forward(3600);
  const waiting = confirmations.of({ kind: 1, key: 'third' }, nothing);
  await Promise.resolve();
  clock.forward(-3600);
  expect(await endsWithin(100, waiting)).toBe(false);
  await guards.renew([aGuard(clock, 3)]);
  expect((await waiting).confirmation).toMatchObject({ pending: 0 });
});

it('does not ask the database where an end stands that this process has read', async () => {
  const { confirmations, clock, guards, find } = await waitForGuards({
    placeHere: 4,
    placeOfEnd: () => 4,
    readUpTo: 3,
  });
  await guards.renew([aGuard(clock, 3)]);
  const waiting = confirmations.of({ kind: 1, key: 'third' }, nothing);
  expect(await endsWithin(100, waiting)).toBe(false);
  await guards.renew([aGuard(clock, 4)]);
  expect((await waiting).confirmation).toMatchObject({ acknowledged: 1, lapsed: 0, pending: 0 });
  expect(find).not.toHaveBeenCalled();
});

it('waits a moment for this process to read an end that has just been committed', async () => {
  const placeOfEnd = vi.fn<Known['placeOfEnd']>().mockReturnValue(3).mockReturnValueOnce(undefined);
  const { confirmations, clock, guards, find } = await waitForGuards({ placeHere: 3, placeOfEnd, readUpTo: 2 });
  await guards.renew([aGuard(clock, 3)]);
  const { confirmation } = await confirmations.of({ kind: 1, key: 'third' }, nothing);
  expect(confirmation).toMatchObject({ acknowledged: 1 });
  expect(placeOfEnd).toHaveBeenCalledWith('third', 2);
  expect(find).not.toHaveBeenCalled();
});

it('does not take an end that was read before for the one that was made: the database may have lost that one', async () => {
  const ring = new EntryRing(8, 0);
  ring.push([1, 2].map((sequence) => ({ ...third, sequence, key: sequence === 2 ? third.key : 'other' })));
  const feed: Known = {
    placeHere: 2,
    placeOfEnd: (id, after) => ring.placeOfEnd(id, after),
    get readUpTo() {
      return ring.head;
    },
  };
  const { confirmations, clock, guards } = await waitForGuards(feed);
  await guards.renew([aGuard(clock, 2)]);
  const waiting = confirmations.of({ kind: 1, key: 'third' }, nothing);
  expect(await endsWithin(150, waiting)).toBe(false);
  await guards.renew([aGuard(clock, 3)]);
  expect((await waiting).confirmation).toMatchObject({ acknowledged: 1 });
});

it('asks the database when this process does not read an end, as of a session that ended long ago', async () => {
  const { confirmations, clock, guards, find } = await waitForGuards({ ...noGuardsHere, placeHere: 3 });
  await guards.renew([aGuard(clock, 3)]);
  const { confirmation } = await confirmations.of({ kind: 1, key: 'third' }, nothing);
  expect(confirmation).toMatchObject({ acknowledged: 1 });
  expect(find).toHaveBeenCalledExactlyOnceWith(1, 'third');
});

it('asks the database for whatever can happen more than once: the entry it has read may be of another time', async () => {
  const { confirmations, clock, guards, find } = await waitForGuards({
    placeHere: 3,
    placeOfEnd: () => 1,
    readUpTo: 0,
  });
  await guards.renew([aGuard(clock, 3)]);
  await confirmations.of({ kind: 2, key: 'third' }, nothing);
  expect(find).toHaveBeenCalledExactlyOnceWith(2, 'third');
});
