import type { Rights } from '../rights.ts';
import type { AccessToken, Revocation } from './knowledge.ts';

/** Nothing can be said about tokens at present: the changes cannot be read, are too old, or are of unknown kinds. */
export class ChangesUnavailableError extends Error {
  override readonly name = 'ChangesUnavailableError';
}

/** What holds for a verified token now: the rights of its owner, why it is refused, or that nothing can be said. */
export type Judgement = Rights | Revocation | ChangesUnavailableError;

/**
 * How old the knowledge behind a decision may be, in seconds: from 1 to 86400. `'until-expiry'`: as old as it may get,
 * so that a token is good until it expires for as long as nothing newer is heard.
 */
export type MaxStaleness = number | 'until-expiry';

const longestStaleness = 86_400;

export const maxStalenessRule: string = `maxStaleness must be 1 to ${String(longestStaleness)} seconds or 'until-expiry'`;

export function isMaxStaleness(value: unknown): value is MaxStaleness {
  return value === 'until-expiry' || (typeof value === 'number' && value >= 1 && value <= longestStaleness);
}

/** How a guard is doing. For health checks and metrics. */
export interface GuardStatus {
  /** Whether it decides from what it knows, within its bound. A guard that is not ready asks the issuer or answers 503. */
  readonly ready: boolean;
  /** What is wrong, in words for an operator, also while it still decides; absent: nothing. */
  readonly problem?: string;
  /** Whether it follows the feed at the moment. */
  readonly connected: boolean;
  /** The server process it follows. */
  readonly node?: string;
  /** How it follows. */
  readonly transport?: 'stream' | 'poll';
  /** How far it has come: the incarnation of the log, and the last sequence it knows. */
  readonly cursor?: string;
  /** How many entries are known to exist and not here yet. */
  readonly lag: number;
  /** Seconds since the moment of which it is proved that everything was known; absent: there was none. */
  readonly staleness?: number;
  /** How many entries it holds: what may still concern a live token, and the role map. */
  readonly entries: number;
}

/** Where a guard learns what holds for a token. */
export interface Truth {
  /** Judges a token; `text` is the token as it was sent. Throws and rejects only for faults of this program. */
  judge(token: AccessToken, text: string, maxStaleness: MaxStaleness | undefined): Judgement | Promise<Judgement>;
  status(): GuardStatus;
  /** Calls back when judgements may have changed; answers how to end that. Keeps no process alive. */
  onChange(listener: () => void): () => void;
  /** Stops learning, and judging. */
  close(): Promise<void>;
}
