import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Auth } from '../src/auth.ts';
import type { FeedCredential } from '../src/feed/feed-credential.ts';
import type { FeedCursor } from '../src/feed/feed-cursor.ts';
import { anAuth } from './auth-fixture.ts';
import { aCredential, cursorOf, FollowingGuardFixture } from './feed-fixture.ts';

let auth: Auth;
let credential: FeedCredential;
let cursor: FeedCursor;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  ({ auth } = await anAuth());
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

  it('are woken all the same when there are many', async () => {
    const guards = await Promise.all(Array.from({ length: 100 }, (_, index) => follow(index)));
    await auth.roles.set('editor', []);
    await Promise.all(guards.map((guard) => guard.until(({ sequences }) => sequences.length === 1)));
  });
});
