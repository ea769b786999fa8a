import { expect, it } from 'vitest';
import { Confirmations } from '../src/feed/confirmations.ts';
import { aClock } from './auth-fixture.ts';
import type { Change } from '../src/changes/change.ts';
import { AuthError } from '../src/errors.ts';
import { sqlite } from '../src/stores/sqlite.ts';

const away = (): AuthError => new AuthError('store_unavailable', 'away', { retryAfter: 1 });

/** Waiting over a store whose log finds nothing under the key `lost`, and the third entry under `third`. */
async function waitForGuards(placeHere: () => number = () => Infinity): Promise<Confirmations> {
  const store = sqlite(':memory:');
  await store.migrate();
  const find = (_kind: number, key: string): Promise<Change | undefined> =>
    key === 'lost' ? Promise.reject(away()) : Promise.resolve(key === 'third' ? third : undefined);
  const changes = Object.assign(Object.create(store.changes), { find }) as typeof store.changes;
  return new Confirmations({ store: { changes, guards: store.guards }, clock: aClock(), placeHere });
}

const third: Change = { sequence: 3, kind: 1, key: 'third', expiresAt: undefined, critical: true, acknowledge: true };

const nothing = (): Promise<void> => Promise.resolve();

it('tells whoever waits for a change that cannot be looked up, and nobody else', async () => {
  const confirmations = await waitForGuards();
  const [lost, other] = ['lost', 'found'].map((key) => confirmations.of({ kind: 1, key }, nothing));
  await expect(lost).rejects.toMatchObject({ code: 'store_unavailable' });
  expect((await other)?.confirmation).toMatchObject({ acknowledged: 0, lapsed: 0, pending: 0 });
});

it('waits for nobody any more once it has been stopped, also when what was done ends only then', async () => {
  const confirmations = await waitForGuards();
  const before = confirmations.of({ kind: 1, key: 'found' }, () => new Promise((resolve) => setImmediate(resolve)));
  confirmations.stop();
  await expect(before).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(confirmations.of({ kind: 1, key: 'found' }, nothing)).rejects.toMatchObject({
    code: 'store_unavailable',
  });
});

it('does not ask the database while a guard of its own process is behind', async () => {
  let place = 2;
  const confirmations = await waitForGuards(() => place);
  let isOver = false;
  const waiting = confirmations.of({ kind: 1, key: 'third' }, nothing).then(() => (isOver = true));
  const others = confirmations.of({ kind: 1, key: 'found' }, nothing);
  expect((await others).confirmation).toMatchObject({ acknowledged: 0, lapsed: 0, pending: 0 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isOver).toBe(false);
  place = 3;
  await waiting;
});
