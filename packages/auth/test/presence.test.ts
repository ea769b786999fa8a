import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Change } from '../src/changes/change.ts';
import { ElapsedTime } from '../src/feed/elapsed.ts';
import type { PresentGuard } from '../src/feed/guard-store.ts';
import { type FollowingGuard, Presence } from '../src/feed/presence.ts';
import { sqlite } from '../src/stores/sqlite.ts';
import { aClock, type TestClock } from './auth-fixture.ts';

const second = 1_000;
const patient = { interval: 5, timeout: 10_000 };

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
    written: PresentGuard[];
    /** What writing waits for. */
    gate: Promise<void> | undefined;
    isAway: boolean;
    isUnconfirmed: boolean;
  }

  /** Presence over guards that are written down, or not while the database is away. */
  function aPresence(): Fixture {
    const clock = aClock();
    const { guards } = sqlite(':memory:');
    const fixture: Omit<Fixture, 'presence'> = {
      clock,
      written: [],
      gate: undefined,
      isAway: false,
      isUnconfirmed: false,
    };
    const store = {
      guards: {
        ...guards,
        renew: (present: readonly PresentGuard[]): Promise<void> => {
          if (fixture.isAway) return Promise.reject(new Error('away'));
          const write = (): void => void fixture.written.push(...present);
          if (fixture.gate !== undefined) return fixture.gate.then(write);
          write();
          return Promise.resolve();
        },
        remove: (removed: string): Promise<void> => {
          fixture.written = fixture.written.filter(({ id }) => id !== removed);
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

  describe('when somebody waits for guards', () => {
    // Once a second everybody is written down anyway.
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
    afterEach(() => void vi.useRealTimers());

    const awaited: Change = {
      sequence: 9,
      kind: 1,
      key: 'k',
      expiresAt: undefined,
      critical: true,
      acknowledge: true,
    };

    /** Two guards that have got to 7 while somebody waits for 9, and what is written of them from then on. */
    async function twoGuards(): Promise<Fixture & { readonly guards: readonly [FollowingGuard, FollowingGuard] }> {
      const fixture = aPresence();
      const guards = [
        await fixture.presence.enter('g', 30 * second, 7),
        await fixture.presence.enter('h', 30 * second, 7),
      ] as const;
      fixture.presence.noteAwaited([awaited]);
      fixture.written.length = 0;
      return Object.assign(fixture, { guards });
    }

    const progress = ({ written }: Fixture): unknown[] => written.map(({ id, acknowledged }) => [id, acknowledged]);

    it('is written at once, once all of those here have got there', async () => {
      const fixture = await twoGuards();
      const [one, other] = fixture.guards;
      fixture.presence.hear(one, 9);
      await Promise.resolve();
      expect(progress(fixture)).toEqual([]);
      fixture.presence.hear(other, 10);
      await Promise.resolve();
      await Promise.resolve();
      expect(progress(fixture)).toEqual([
        ['g', 9],
        ['h', 10],
      ]);
      fixture.presence.stop();
    });

    it('is not held up for long by another one here', async () => {
      const fixture = await twoGuards();
      fixture.presence.hear(fixture.guards[0], 9);
      await expect.poll(() => progress(fixture), patient).toEqual([['g', 9]]);
      fixture.presence.stop();
    });

    it('is not written down any more after it has taken leave', async () => {
      const fixture = await twoGuards();
      const [one, other] = fixture.guards;
      fixture.presence.hear(one, 9);
      await fixture.presence.dismiss(one);
      fixture.presence.hear(other, 9);
      await expect.poll(() => progress(fixture), patient).toEqual([['h', 9]]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(progress(fixture)).toEqual([['h', 9]]);
      fixture.presence.stop();
    });

    it('has gone for good when it takes leave while it is being written down, until it comes back', async () => {
      const fixture = await twoGuards();
      const [one, other] = fixture.guards;
      let open = (): void => undefined;
      fixture.gate = new Promise((resolve) => (open = resolve));
      for (const guard of [one, other]) fixture.presence.hear(guard, 9);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const gone = fixture.presence.dismiss(one);
      const back = fixture.presence.enter('g', 30 * second, 9);
      open();
      await gone;
      expect(fixture.presence.ageOf(await back)).toBe(0);
      expect(progress(fixture)).toEqual([
        ['h', 9],
        ['g', 9],
      ]);
      fixture.presence.stop();
    });

    it('waits for its turn with what nobody waits for', async () => {
      const fixture = await twoGuards();
      const [one, other] = fixture.guards;
      for (const guard of [one, other]) fixture.presence.hear(guard, 9);
      await expect.poll(() => fixture.written, patient).toHaveLength(2);
      fixture.written.length = 0;
      for (const guard of [one, other]) fixture.presence.hear(guard, 11);
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(progress(fixture)).toEqual([]);
      fixture.presence.stop();
    });
  });

  it('tells the place that all of them have reached, without those whose leases have run out', async () => {
    const { presence, clock } = aPresence();
    expect(presence.place).toBe(Infinity);
    const slow = await presence.enter('g', 10 * second, 7);
    const quick = await presence.enter('h', 30 * second, 8);
    expect(presence.place).toBe(7);
    clock.forward(20);
    expect(presence.place).toBe(8);
    presence.hear(slow, 7);
    expect(presence.place).toBe(7);
    presence.forgetPlaces();
    expect([slow.acknowledged, quick.acknowledged, presence.place]).toEqual([0, 0, 0]);
    presence.stop();
  });
});
