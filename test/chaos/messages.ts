import type { GuardStatus, MaxStaleness } from '@sallyport/guard';

/** What a guard's process is started with. */
export interface GuardOrders {
  readonly issuer: string;
  readonly nodes: readonly string[];
  readonly credential: string;
  readonly maxStaleness: MaxStaleness;
}

/** What it is told while it runs. */
export interface Order {
  /** Tokens to check from now on. */
  readonly watch?: readonly string[];
  /** Forget all tokens, before those to watch are taken in. */
  readonly forget?: boolean;
  /** Answer with a report of this number. */
  readonly report?: number;
}

/** What it has heard of one token. Moments are those of all processes of this machine. */
export interface Heard {
  readonly checks: number;
  readonly unavailable: number;
  /** The code of the last verdict, or `granted`. */
  readonly last: string;
  /** When the last check began that granted. */
  readonly lastGranted?: number;
  /** When the first check began that refused for good. */
  readonly firstRefused?: number;
}

export interface Report {
  readonly report: number;
  readonly status: GuardStatus;
  readonly heard: Readonly<Record<string, Heard>>;
}
