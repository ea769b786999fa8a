import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { marked, tokenDead } from '../src/changes/change.ts';
import { ElapsedTime } from '../src/feed/elapsed.ts';
import { FeedTail } from '../src/feed/feed-tail.ts';
import { steadyTime } from '../src/ports.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import type { Store } from '../src/stores/store.ts';

let store: Store;
let tail: FeedTail;
let announce: () => void;
let seen: number;

const append = (name: string, isAwaited = false): Promise<void> =>
  store.append(marked(tokenDead(name, new Date()), isAwaited));

beforeEach(async () => {
  store = sqlite(':memory:');
  await store.migrate();
  const watch = (wake: () => void): (() => void) => {
    announce = wake;
    return () => undefined;
  };
  const elapsed = new ElapsedTime(steadyTime, () => new Date());
  tail = new FeedTail({ store: { changes: store.changes, watch }, elapsed, onRestart: () => undefined });
  await tail.start();
  seen = 0;
  tail.listen({ onEntries: (changes) => (seen += changes.length) });
});
afterEach(async () => {
  tail.stop();
  await store.close();
});

it.each([
  ['once for many announcements of one moment', false, 2],
  ['less often where somebody waits for the guards', true, 4],
])('looks %s, and sees what the last announcement told of', async (_, isAwaited, apart) => {
  const look = vi.spyOn(store.changes, 'readSince');
  const started = steadyTime();
  for (let index = 0; index < 200; index += 1) {
    await append(`token-${index}`, isAwaited);
    for (let again = 0; again < 20; again += 1) announce();
  }
  const [asked, passed] = [look.mock.calls.length, steadyTime() - started];
  await vi.waitFor(() => expect(seen).toBe(200), { interval: 5 });
  // The first at once, one before it is known who waits, and the look of every quarter of a second.
  expect(asked).toBeLessThanOrEqual(passed / apart + passed / 250 + 2);
});

it('looks at once when nothing was announced for a while', async () => {
  const look = vi.spyOn(store.changes, 'readSince');
  await vi.waitFor(() => expect(look).toHaveBeenCalled());
  await new Promise((resolve) => setTimeout(resolve, 50));
  await append('token');
  look.mockClear();
  announce();
  // A look begins in the turn of its announcement, not in that of a timer.
  await Promise.resolve();
  await Promise.resolve();
  expect(look).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(seen).toBe(1));
});
