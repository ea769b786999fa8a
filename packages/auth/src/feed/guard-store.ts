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

/** How far guards have got, all of them together. */
export interface GuardProgress {
  /** How many there are whose lease goes beyond the first of two moments. */
  readonly guards: number;
  /** How many of those have a lease that does not go beyond the second. */
  readonly lapsed: number;
  /** The last entry that all the others have applied; undefined where there are none. */
  readonly lowest: number | undefined;
}

/** Keeps which guards there are and how far each has got, for whoever waits until all of them know something. */
export interface GuardStore {
  /** Writes guards down, new ones and known ones. Neither a lease nor a place ever moves back. */
  renew(guards: readonly PresentGuard[]): Promise<void>;
  /** Those whose lease goes beyond a moment. */
  listLeased(after: Date): Promise<readonly PresentGuard[]>;
  /**
   * How far those have got whose lease goes beyond `since`, and how many of them have let it run out until `now`, which is no
   * earlier.
   */
  progress(since: Date, now: Date): Promise<GuardProgress>;
  remove(id: string): Promise<void>;
  /** Removes those whose lease ended before a moment; says how many. */
  prune(before: Date): Promise<number>;
}
