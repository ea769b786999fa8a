import { describe, expect, it } from 'vitest';
import { changeKinds } from '@sallyport/guard';
import type { AccessToken } from '../../../src/replica/knowledge.ts';
import { FeedFault, type FeedFaultReason } from '../../../src/replica/feed/fault.ts';
import { FollowedLog } from '../../../src/replica/feed/followed-log.ts';
import type { FeedEntry, Greeting } from '../../../src/replica/feed/messages.ts';
import { PackedChanges } from '../../../src/replica/packed-changes.ts';

const noon = 1_800_000_000;
const hashKey = '00112233445566ff';

const aGreeting = (changes: Partial<Greeting> = {}): Greeting => ({
  version: 1,
  lowestVersion: 1,
  incarnation: 'first',
  head: 0,
  hashKey,
  ...changes,
});

const anEntry = (sequence: number, changes: Partial<FeedEntry> = {}): FeedEntry => ({
  sequence,
  kind: changeKinds.sessionDead,
  key: `session-${sequence}`,
  expiresAt: noon + 900,
  critical: true,
  acknowledge: false,
  ...changes,
});

const aToken = (session: string, af = 0): AccessToken => ({
  header: { alg: 'ES256', kid: 'key-1' },
  claims: { iss: 'i', sub: 'ada', aud: 'a', exp: noon + 900, iat: noon, sid: session, af },
});

/** A log that begins empty, on clocks that the test sets: milliseconds since it began. */
function aLog() {
  const at = { monotonic: 0, wall: 0 };
  const clocks = { monotonic: () => at.monotonic, wall: () => noon * 1000 + at.wall };
  const deaths = { heard: 0 };
  const log = new FollowedLog(clocks, () => (deaths.heard += 1));
  const load = (greeting: Partial<Greeting> = {}, { age }: { age?: number | undefined } = { age: 0 }): void =>
    log.load(aGreeting(greeting), new PackedChanges(greeting.hashKey ?? hashKey), {
      sent: { monotonic: at.monotonic, wall: clocks.wall() },
      age,
    });
  load();
  return { log, at, load, deaths, now: () => ({ monotonic: at.monotonic, wall: clocks.wall() }) };
}

/** The reason of the fault that something ends in, or `fine`. */
function faultOf(step: () => unknown): FeedFaultReason | 'fine' {
  try {
    step();
    return 'fine';
  } catch (error) {
    if (error instanceof FeedFault) return error.reason;
    throw error;
  }
}

describe('a log that is followed', () => {
  it('takes entries in one after the other, and notices one that is missing', () => {
    const { log } = aLog();
    expect([log.take(anEntry(1)), log.take(anEntry(1)), log.take(anEntry(2))]).toEqual([true, false, true]);
    expect(log.cursor).toBe('first.2');
    expect(log.needsSnapshot).toBe(false);
    expect(faultOf(() => log.take(anEntry(4)))).toBe('gap');
    expect(log.needsSnapshot).toBe(true);
    expect(log.cursor).toBe('first.2');
  });

  it.each([
    ['fine', {}],
    ['fine', { head: 9 }],
    ['fine', { version: 4 }],
    ['unsupported', { version: 2, lowestVersion: 2 }],
    ['unsupported', { version: 0, lowestVersion: 0 }],
    ['restored', { incarnation: 'second' }],
    ['restored', { head: 1 }],
    ['resync', { hashKey: 'ffffffffffffffff' }],
  ] as const)('finds a process %s that says of itself %j', (reason, greeting) => {
    const { log } = aLog();
    log.take(anEntry(1));
    log.take(anEntry(2));
    expect(faultOf(() => log.greet(aGreeting({ head: 2, ...greeting })))).toBe(reason);
    expect(log.needsSnapshot).toBe(reason === 'restored' || reason === 'resync');
    expect(log.refusal === undefined).toBe(reason !== 'unsupported');
  });

  it('knows nothing before its first snapshot', () => {
    const log = new FollowedLog({ monotonic: () => 0, wall: () => 0 }, () => undefined);
    expect([log.knowledge, log.cursor, log.missing, log.needsSnapshot]).toEqual([undefined, undefined, 0, true]);
    expect(faultOf(() => log.greet(aGreeting()))).toBe('resync');
  });

  it('is fresh by the answer to what was sent, if the answer is as far as it is', () => {
    const { log, at, now } = aLog();
    log.take(anEntry(1));
    const sent = now();
    at.monotonic = at.wall = 3000;
    expect(log.confirm(sent, 250, 2)).toBe(false);
    expect([log.lease.ageAt(3000, noon * 1000 + 3000), log.missing]).toEqual([Number.POSITIVE_INFINITY, 1]);
    expect(log.confirm(sent, 250, 1)).toBe(true);
    expect([log.lease.ageAt(3000, noon * 1000 + 3000), log.missing]).toEqual([3250, 0]);
    expect(faultOf(() => log.confirm(sent, 0, 0))).toBe('restored');
  });

  it('takes a snapshot of the same history in its place', () => {
    const { log, load, deaths } = aLog();
    log.take(anEntry(1));
    load({ head: 5 });
    expect(log.cursor).toBe('first.5');
    expect(log.knowledge?.findRevocation(aToken('session-1'))).toBeUndefined();
    expect(deaths.heard).toBe(1);
  });

  it('takes a snapshot of another history beside what is known', () => {
    const { log, load } = aLog();
    log.take(anEntry(1));
    load({ incarnation: 'second', head: 5 });
    expect(log.cursor).toBe('second.5');
    expect(log.knowledge?.findRevocation(aToken('session-1'))).toBe('token_revoked');
  });

  it('takes a shorter log for another history only if it was read after this one had come so far', () => {
    const { log, at, load } = aLog();
    at.monotonic = 1000;
    for (const sequence of [1, 2, 3]) log.take(anEntry(sequence));
    for (const [moment, age] of [
      [1200, 250],
      [1200, undefined],
      [9000, 8500],
    ] as const) {
      at.monotonic = moment;
      log.requireSnapshot();
      expect(faultOf(() => load({ head: 2 }, { age }))).toBe('outpaced');
      expect([log.cursor, log.needsSnapshot]).toEqual(['first.3', false]);
    }
    load({ head: 2 }, { age: 250 });
    expect(log.cursor).toBe('first.2');
    expect(log.knowledge?.findRevocation(aToken('session-3'))).toBe('token_revoked');
  });

  it('drops what has expired, a minute later, and revives nothing when its clock is set back', () => {
    const { log, at, load } = aLog();
    log.take(anEntry(1, { expiresAt: noon + 100 }));
    const sweepAll = (): void => {
      for (let turn = 0; turn < 60; turn += 1) log.sweep();
    };
    at.wall = 160_000;
    sweepAll();
    expect(log.knowledge?.size).toBe(1);
    at.wall = 161_000;
    sweepAll();
    expect(log.knowledge?.size).toBe(0);
    expect(log.isCompleteAt(noon * 1000 + 101_000)).toBe(true);
    at.wall = 99_000;
    expect(log.isCompleteAt(noon * 1000 + 99_000)).toBe(false);
    log.sweep();
    expect(log.needsSnapshot).toBe(true);
    load({ head: 1 });
    expect([log.needsSnapshot, log.isCompleteAt(noon * 1000 + 99_000)]).toEqual([false, true]);
  });

  it('wakes whoever waits when it has come further, when it is confirmed, and after a while', async () => {
    const { log, now } = aLog();
    const woken: string[] = [];
    const waiting = [
      log.changed(60_000).then(() => woken.push('entry')),
      log.changed(1).then(() => woken.push('time')),
    ];
    await waiting[1];
    expect(woken).toEqual(['time']);
    log.take(anEntry(1));
    await waiting[0];
    const confirmed = log.changed(60_000);
    log.confirm(now(), 0, 1);
    await confirmed;
  });
});
