import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideRefresh,
  outcomeOf,
  refreshPolicy,
  type RefreshDecision,
  type RefreshOutcome,
} from '../src/sessions/refresh-rotation.ts';
import type { SessionRecord } from '../src/sessions/session.ts';

const day = 86_400;
const start = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);

function aSession(changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: 'AAAAAAAAAAA',
    userId: 'u',
    userEpoch: 0,
    generation: 3,
    base: 2,
    mintedAt: start,
    rotatedAt: start,
    salt: new Uint8Array(16),
    scope: undefined,
    createdAt: start,
    lastUsedAt: start,
    idleExpiresAt: after(30 * day),
    expiresAt: after(180 * day),
    endedAt: undefined,
    userAgent: undefined,
    address: undefined,
    ...changes,
  };
}

const resilient = refreshPolicy('resilient', 30 * day);
const strict = refreshPolicy('strict', 30 * day);

interface Case {
  readonly when: string;
  readonly presented: number;
  readonly at?: number;
  readonly session?: Partial<SessionRecord>;
  readonly resilient: RefreshDecision;
  readonly strict: RefreshDecision;
}

const cases: readonly Case[] = [
  { when: 'the current token comes', presented: 3, resilient: 'rotate', strict: 'rotate' },
  { when: 'its parent comes at once', presented: 2, resilient: 'replay', strict: 'reuse' },
  { when: 'its parent comes after exactly 15 s', presented: 2, at: 15, resilient: 'replay', strict: 'reuse' },
  { when: 'its parent comes after 15.001 s', presented: 2, at: 15.001, resilient: 'fork', strict: 'reuse' },
  { when: 'its parent comes after a night', presented: 2, at: 8 * 3600, resilient: 'fork', strict: 'reuse' },
  {
    when: 'its parent comes from behind a clock that was set back',
    presented: 2,
    at: -3600,
    resilient: 'replay',
    strict: 'reuse',
  },
  { when: 'its grandparent comes at once', presented: 1, resilient: 'reuse', strict: 'reuse' },
  {
    when: 'a token of a dead branch comes',
    presented: 3,
    session: { generation: 4, base: 2 },
    resilient: 'reuse',
    strict: 'reuse',
  },
  {
    when: 'the current token is seven generations ahead of the proven one',
    presented: 2,
    at: 60,
    session: { generation: 9, base: 2 },
    resilient: 'fork',
    strict: 'reuse',
  },
  {
    when: 'it is eight generations ahead',
    presented: 2,
    at: 60,
    session: { generation: 10, base: 2 },
    resilient: 'reuse',
    strict: 'reuse',
  },
  { when: 'a token from the future comes', presented: 4, resilient: 'future', strict: 'future' },
  { when: 'the session has ended', presented: 3, session: { endedAt: start }, resilient: 'ended', strict: 'ended' },
  {
    when: 'the session has been idle too long',
    presented: 3,
    at: 30 * day,
    resilient: 'expired',
    strict: 'expired',
  },
  {
    when: 'the session has lived too long, though it was used every day',
    presented: 3,
    at: 180 * day,
    session: { idleExpiresAt: after(200 * day) },
    resilient: 'expired',
    strict: 'expired',
  },
];

describe('the rule of refresh rotation', () => {
  it.each(cases)('resilient: answers $resilient when $when', ({ presented, at = 1, session, resilient: decision }) => {
    expect(decideRefresh(aSession(session), presented, after(at), resilient)).toBe(decision);
  });

  it.each(cases)('strict: answers $strict when $when', ({ presented, at = 1, session, strict: decision }) => {
    expect(decideRefresh(aSession(session), presented, after(at), strict)).toBe(decision);
  });

  it.each<readonly [RefreshOutcome, number, number, Partial<SessionRecord>]>([
    ['rotated', 3, 1, {}],
    ['raced', 2, 0, {}],
    ['raced', 2, 1, {}],
    ['raced', 2, -300, {}],
    ['retried', 2, 1.001, {}],
    ['retried', 2, 15, {}],
    ['forked', 2, 16, {}],
    ['reused', 1, 0, {}],
    ['reused', 3, 0, { generation: 4 }],
    ['future', 4, 0, {}],
    ['ended', 3, 0, { endedAt: start }],
    ['expired', 3, 30 * day, {}],
  ])('calls it %s when generation %i comes after %d s', (outcome, presented, at, changes) => {
    const session = aSession(changes);
    const decision = decideRefresh(session, presented, after(at), resilient);
    expect(outcomeOf(decision, session, after(at))).toBe(outcome);
  });

  it('S2: takes every spent token for stolen under the strict policy', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.integer({ min: -7200, max: 7200 }), (generation, presented, at) => {
        const session = aSession({ generation, base: Math.max(0, generation - 1) });
        const expected = presented === generation ? 'rotate' : presented > generation ? 'future' : 'reuse';
        expect(decideRefresh(session, presented, after(at), strict)).toBe(expected);
      }),
    );
  });

  it('never gives new tokens for a generation behind the last proven one', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(50), fc.nat(200 * day), (base, ahead, presented, at) => {
        const session = aSession({ base, generation: base + 1 + ahead });
        const decision = decideRefresh(session, presented, after(at), resilient);
        if (presented < base) expect(['reuse', 'expired']).toContain(decision);
        if (presented > base && presented < session.generation) expect(['reuse', 'expired']).toContain(decision);
      }),
    );
  });

  it('never gives new tokens once a session has ended', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(200 * day), (presented, at) => {
        expect(decideRefresh(aSession({ endedAt: start }), presented, after(at), resilient)).toBe('ended');
      }),
    );
  });
});
