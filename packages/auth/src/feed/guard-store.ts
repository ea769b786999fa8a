/** A guard that follows the feed, as every server process sees it. */
export interface PresentGuard {
  readonly id: string;
  /** The process that speaks with it. */
  readonly node: string;
  /** The last entry it has applied. */
  readonly acknowledged: number;
  /** Until then it may go on granting by what it knows. */
  readonly leaseUntil: Date;
}

/** Keeps which guards there are and how far each has got, for whoever waits until all of them know something. */
export interface GuardStore {
  /** Writes guards down, new ones and known ones. Neither a lease nor a place ever moves back. */
  renew(guards: readonly PresentGuard[]): Promise<void>;
  /** Those whose lease goes beyond a moment. */
  listLeased(after: Date): Promise<readonly PresentGuard[]>;
  /** The last entry that all of those have applied; undefined when there is no guard. */
  lowestPlace(leasedAfter: Date): Promise<number | undefined>;
  remove(id: string): Promise<void>;
  /** Removes those whose lease ended before a moment; says how many. */
  prune(before: Date): Promise<number>;
}
