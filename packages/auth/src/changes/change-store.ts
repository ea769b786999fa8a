import type { Pruned } from '../upkeep/pruned.ts';
import type { Change, ChangeBatch, LogPosition } from './change.ts';

/** A place among the entries that expire, in the order in which they do. */
export interface ExpiryCursor {
  /** Seconds since 1970. */
  readonly expiresAt: number;
  readonly sequence: number;
}

/** Reads the change log. Writing to it is part of a transaction: see `Transaction.append`. */
export interface ChangeStore {
  /** The last sequence number. Read it before what a token says: `af` may be too small, never too large. */
  head(): Promise<number>;
  /** The longest life an access token was ever issued with, in seconds: nothing that concerns tokens ends sooner. */
  tokenLifetime(): Promise<number>;
  /** All that the head row says, by one read. */
  position(): Promise<LogPosition>;
  /** What came after `cursor`, the first `limit` entries of it, and what the head row says; from 0, everything still kept. */
  readSince(cursor: number, limit?: number): Promise<ChangeBatch>;
  /** The first `limit` entries after one place and up to another. */
  readBetween(after: number, upTo: number, limit: number): Promise<readonly Change[]>;
  /** The first `limit` entries that never expire, after one place and up to another. */
  readLasting(after: number, upTo: number, limit: number): Promise<readonly Change[]>;
  /** The first `limit` entries up to a place that expire after another entry did, in that order. */
  readExpiring(after: ExpiryCursor, upTo: number, limit: number): Promise<readonly Change[]>;
  /** The newest change of this kind about `key`. */
  find(kind: number, key: string): Promise<Change | undefined>;
  /** The time on the clock of the database's own computer; undefined where that is this computer. */
  time(): Promise<Date | undefined>;
  /** Looks at `limit` entries after a sequence number and removes those that expired before a moment. */
  prune(after: number, limit: number, before: Date): Promise<Pruned<number>>;
}
