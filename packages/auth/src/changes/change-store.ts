import type { Pruned } from '../upkeep/pruned.ts';
import type { Change, ChangeBatch } from './change.ts';

/** Reads the change log. Writing to it is part of a transaction: see `Transaction.append`. */
export interface ChangeStore {
  /** The last sequence number. Read it before what a token says: `af` may be too small, never too large. */
  head(): Promise<number>;
  /** The longest life an access token was ever issued with, in seconds: nothing that concerns tokens ends sooner. */
  tokenLifetime(): Promise<number>;
  /** What came after `cursor`; from 0, everything still kept. */
  readSince(cursor: number): Promise<ChangeBatch>;
  /** The newest change of this kind about `key`. */
  find(kind: number, key: string): Promise<Change | undefined>;
  /** The time on the clock of the database's own computer; undefined where that is this computer. */
  time(): Promise<Date | undefined>;
  /** Looks at `limit` entries after a sequence number and removes those that expired before a moment. */
  prune(after: number, limit: number, before: Date): Promise<Pruned<number>>;
}
