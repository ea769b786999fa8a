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
  /** It was the current one and made its successor. */
  | 'rotated'
  /** It came while its successor was being made or right after: tabs that refresh at once. */
  | 'raced'
  /** It came again a little later: the client asked again, most likely because the answer did not arrive. */
  | 'retried'
  /** It came again late: the answer was lost. The lost successor is a tripwire from now on. */
  | 'forked'
  /** It was spent and its successor is in use: two parties held this lineage, and the session has ended. */
  | 'reused'
  /** It is ahead of the database: a backup was restored, or the server's key has leaked. */
  | 'future'
  | 'ended'
  | 'expired'
  /** It is well made, and not by this server or not for a session that exists. */
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

/** How long after a rotation its parent counts as racing rather than as asking again, in seconds. */
const raceWindow = 1;

/** Names what a decision meant, for events: a replay is a race or a retry, by the time between. */
export function outcomeOf(decision: RefreshDecision, session: SessionRecord, now: Date): RefreshOutcome {
  if (decision !== 'replay') return outcomes[decision];
  return secondsBetween(session.mintedAt, now) <= raceWindow ? 'raced' : 'retried';
}

const outcomes: Readonly<Record<Exclude<RefreshDecision, 'replay'>, RefreshOutcome>> = {
  rotate: 'rotated',
  fork: 'forked',
  reuse: 'reused',
  future: 'future',
  ended: 'ended',
  expired: 'expired',
};

function secondsBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}
