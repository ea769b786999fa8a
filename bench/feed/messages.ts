/** What a guard's process is started with. */
export interface GuardOrders {
  readonly issuer: string;
  /** The server that it follows. */
  readonly node: string;
  readonly credential: string;
}

/** Tokens that are revoked next, by their places among all: the first, and the one after the last. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What a guard's process is told; it answers each order with a report of the same number. */
export interface Order {
  readonly number: number;
  /** Tokens that are checked from now on; the last `honest` of them are never revoked. */
  readonly learn?: { readonly tokens: readonly string[]; readonly honest: number };
  /** Begin to check these as the feed tells of changes. */
  readonly watch?: Range;
  /** Check all of them once. */
  readonly checkAll?: true;
}

export interface Report {
  readonly number: number;
  /** The verdicts of {@link Order.checkAll}, in the order of the tokens. */
  readonly verdicts: readonly string[];
  /** When each token was refused for having been revoked; NaN: not yet. */
  readonly refusedAt: Float64Array;
  /** Checks of honest tokens that did not grant, while others were revoked. */
  readonly turnedAway: number;
  /** How often a token was checked while others were revoked. */
  readonly checks: number;
  /** Processor time of this process since it began, in milliseconds. */
  readonly processorTime: number;
  /** Whether it follows the feed and knows everything. */
  readonly isCurrent: boolean;
}
