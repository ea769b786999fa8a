import { describe, expect, it } from 'vitest';
import type { Change } from '../src/changes/change.ts';
import { ElapsedTime } from '../src/feed/elapsed.ts';
import type { PresentGuard } from '../src/feed/guard-store.ts';
import { Presence } from '../src/feed/presence.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import { aClock, type TestClock } from './auth-fixture.ts';

const second = 1_000;

describe('how much time has passed', () => {
  it('is never told too short, whichever clock stands still or is set', () => {
    let steady = 0;
    let wall = 0;
    const elapsed = new ElapsedTime(
      () => steady,
      () => new Date(wall),
    );
    const moment = elapsed.now();
    steady = 5;
    expect(elapsed.since(moment)).toBe(5);
    // The computer slept.
    wall = 60_000;
    expect(elapsed.since(moment)).toBe(60_000);
    // Its clock was set back.
    wall = -60_000;
    expect(elapsed.since(moment)).toBe(5);
  });
});

describe('the presence of a guard', () => {
  interface Fixture {
    readonly presence: Presence;
    readonly clock: TestClock;
    readonly written: PresentGuard[];
    isAway: boolean;
    isUnconfirmed: boolean;
  }

  /** Presence over guards that are written down, or not while the database is away. */
  function aPresence(): Fixture {
    const clock = aClock();
    const { guards } = sqlite(':memory:');
    const fixture = { clock, written: [] as PresentGuard[], isAway: false, isUnconfirmed: false };
    const store = {
      guards: {
        ...guards,
        renew: (present: readonly PresentGuard[]): Promise<void> => {
          if (fixture.isAway) return Promise.reject(new Error('away'));
          fixture.written.push(...present);
          return Promise.resolve();
        },
      },
    };
    const presence = new Presence({
      store,
      node: 'n',
      clock,
      elapsed: new ElapsedTime(() => 0, clock),
      confirm: () => (fixture.isUnconfirmed ? Promise.reject(new Error('away')) : Promise.resolve()),
    });
    return Object.assign(fixture, { presence });
  }

  it('is written down before it is told anything, for a little longer than its lease', async () => {
    const { presence, clock, written } = aPresence();
    const guard = await presence.enter('g', 30 * second, 7);
    expect(written).toEqual([
      { id: 'g', node: 'n', acknowledged: 7, leaseUntil: new Date(clock().getTime() + 35 * second) },
    ]);
    expect(presence.ageOf(guard)).toBe(0);
    presence.stop();
  });

  it('lets it never grant for longer than has been written down', async () => {
    const { presence, clock, written } = aPresence();
    const guard = await presence.enter('g', 30 * second, 7);
    const until = written[0]?.leaseUntil.getTime() ?? 0;
    for (let step = 0; step < 60; step += 1) {
      clock.forward(1);
      presence.hear(guard, 7);
      // It goes on granting for its lease, less the age that it is told.
      expect(clock().getTime() - presence.ageOf(guard) + guard.lease).toBeLessThanOrEqual(until);
    }
    presence.stop();
  });

  it.each([
    ['cannot be written down', { isAway: true }],
    ['is followed by no look at the log', { isUnconfirmed: true }],
  ])('that %s keeps it from granting', async (_, trouble) => {
    const fixture = Object.assign(aPresence(), trouble);
    const guard = await fixture.presence.enter('g', 30 * second, 7);
    expect(fixture.presence.ageOf(guard)).toBe(30 * second);
    fixture.presence.stop();
  });

  it('is written at once when somebody waits for it, once for what comes together', async () => {
    const { presence, written } = aPresence();
    const awaited: Change = {
      sequence: 9,
      kind: 1,
      key: 'k',
      expiresAt: undefined,
      critical: true,
      acknowledge: true,
    };
    const guard = await presence.enter('g', 30 * second, 7);
    presence.hear(guard, 8);
    expect(written).toHaveLength(1);
    presence.noteAwaited([awaited]);
    presence.hear(guard, 9);
    presence.hear(guard, 10);
    await expect.poll(() => written.at(-1)).toMatchObject({ acknowledged: 10 });
    presence.forgetPlaces();
    expect(guard.acknowledged).toBe(0);
    presence.stop();
  });
});
