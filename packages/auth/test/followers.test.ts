import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Auth } from '../src/auth.ts';
import { AuthError } from '../src/errors.ts';
import type { FeedCredential } from '../src/feed/feed-credential.ts';
import type { FeedCursor } from '../src/feed/feed-cursor.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import type { Store } from '../src/stores/store.ts';
import { anAuth } from './auth-fixture.ts';
import { aCredential, cursorOf, FollowingGuardFixture } from './feed-fixture.ts';

let auth: Auth;
let store: Store;
let credential: FeedCredential;
let cursor: FeedCursor;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  store = sqlite(':memory:');
  ({ auth } = await anAuth({}, store));
  credential = await aCredential(auth);
  cursor = await cursorOf(auth);
});
afterEach(async () => {
  vi.useRealTimers();
  await auth.close();
});

const follow = (index: number): Promise<FollowingGuardFixture> =>
  FollowingGuardFixture.follow(auth, { credential, guard: `guard-${String(index)}`, lease: 86_400, cursor });

describe('those who are told what comes', () => {
  it('are cut off when they have not wanted to hear more for half a minute, others are not', async () => {
    const [never, once, patient] = [await follow(1), await follow(2), await follow(3)];
    await once.until(({ types }) => types.includes('hello'));
    await patient.until(({ types }) => types.includes('hello'));
    const waiting = patient.stream.next(60_000);
    await vi.advanceTimersByTimeAsync(29_000);
    for (const { stream } of [never, once]) expect(stream.stalledFor).toBeGreaterThanOrEqual(29_000);
    expect(patient.stream.stalledFor).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000);
    for (const { stream } of [never, once]) expect(await stream.next(0)).toBeUndefined();
    await auth.roles.set('editor', []);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toMatchObject([{ type: 'entries', entries: [{ key: 'editor' }] }]);
  });

  it('are told no more where what comes next cannot be read, hold no place, and may come again', async () => {
    await auth.roles.set('editor', []);
    const away = new AuthError('store_unavailable', 'the database is away', { retryAfter: 1 });
    vi.spyOn(store.changes, 'readBetween').mockRejectedValueOnce(away);
    const { name, stream } = await follow(1);
    await expect(stream.next(1_000)).rejects.toBe(away);
    expect(await auth.feed.ping({ credential, guard: name, n: 1, cursor })).toBe(false);
    expect(await stream.next(1_000)).toBeUndefined();
    const again = await follow(1);
    await again.until(({ sequences }) => sequences.length === 1);
  });

  it('are woken all the same when there are many', async () => {
    const guards = await Promise.all(Array.from({ length: 100 }, (_, index) => follow(index)));
    await auth.roles.set('editor', []);
    await Promise.all(guards.map((guard) => guard.until(({ sequences }) => sequences.length === 1)));
  });
});
