import type { SessionRecord } from './session.ts';

/** What a presented refresh token deserves. */
export type RefreshDecision =
  /** It is the current one: its successor takes its place. */
  | 'rotate'
  /** It is the parent of the current one, again and soon: tabs racing, a retry. The same successor once more. */
  | 'replay'
  /** The same, late: the answer was lost. A new successor; the lost one becomes a tripwire. */
  | 'fork'
  /** It comes from behind the last proven one, or from a dead branch: two parties hold this lineage. */
  | 'reuse'
  /** It is ahead of the database: a backup was restored, or the server's key has leaked. */
  | 'future'
  /** Its session has ended. */
  | 'ended'
  /** Its session has outlived its idle or absolute lifetime. */
  | 'expired';

/** Every way the presentation of a refresh token can go, for events and logs. */
export type RefreshOutcome =
  | 'rotated'
  | 'replayed'
  | 'forked'
  | 'reused'
  | 'future'
  | 'ended'
  | 'expired'
  | 'unknown'
  | 'malformed';

/** How patient a server is with a parent that comes back. */
export interface RefreshPolicy {
  /** How long after the rotation the parent gets the identical successor again, in seconds. 0: never. */
  readonly grace: number;
  /** How many generations the current one may be ahead of the proven one; a fork adds one. 0: no forks. */
  readonly maxAhead: number;
  /** How long after the rotation it may still fork, in seconds. */
  readonly forkWithin: number;
}

/**
 * The policies a server can be set to: `resilient` never logs an honest client out; `strict` takes every spent token
 * for stolen, as RFC 9700 section 4.14.2 has it, and pays with honest sessions.
 */
export function refreshPolicy(name: 'resilient' | 'strict', idleLifetime: number): RefreshPolicy {
  return name === 'strict'
    ? { grace: 0, maxAhead: 0, forkWithin: 0 }
    : { grace: 15, maxAhead: 8, forkWithin: idleLifetime };
}

/** Decides what generation `presented` of a session's refresh token deserves at `now`. */
export function decideRefresh(
  session: SessionRecord,
  presented: number,
  now: Date,
  policy: RefreshPolicy,
): RefreshDecision {
  if (session.endedAt !== undefined) return 'ended';
  if (session.expiresAt <= now || session.idleExpiresAt <= now) return 'expired';
  if (presented === session.generation) return 'rotate';
  if (presented > session.generation) return 'future';
  if (presented === session.base) {
    if (policy.grace > 0 && secondsBetween(session.mintedAt, now) <= policy.grace) return 'replay';
    const ahead = session.generation - session.base;
    if (ahead < policy.maxAhead && secondsBetween(session.rotatedAt, now) <= policy.forkWithin) return 'fork';
  }
  return 'reuse';
}

function secondsBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}
