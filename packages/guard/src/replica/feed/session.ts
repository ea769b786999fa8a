import type { Clocks } from './clocks.ts';
import type { FeedNode } from './feed-node.ts';
import type { FollowedLog } from './followed-log.ts';

/** A connection to one node, over which the log is followed. */
export interface Session {
  /** Follows until something ends it: rejects with a FeedFault, or resolves when it has run for as long as it should. */
  run(): Promise<void>;
  /** Something suggests that there is news: ask. */
  nudge(): void;
}

/** What every session needs. */
export interface SessionContext {
  readonly node: FeedNode;
  readonly log: FollowedLog;
  readonly clocks: Clocks;
  /** The name of this guard among all guards. */
  readonly guardId: string;
  /** How long the guard goes on granting without news, in seconds. */
  readonly lease: number;
  /** The age, in milliseconds, that knowledge should stay well below. */
  bound(): number;
  /** The number of the next ping, which no other one of this guard has. */
  readonly nextPing: () => number;
  /** Called when the node has let this guard in. */
  readonly onConnected: () => void;
  /** Ends all sessions of this guard. */
  readonly signal: AbortSignal;
}

/** How long a node may take to begin its answer, in milliseconds. */
export const patience = 5000;
const longestPeriod = 1000;
/** The longest that a poll may wait, in seconds. */
const longestPoll = 25;
/** Knowledge is asked for this often within its bound, so that one answer may go missing. */
const asksPerBound = 3;

/** How long to wait between two pings, in milliseconds. */
export function periodOf(context: SessionContext): number {
  return Math.min(longestPeriod, context.bound() / asksPerBound);
}

/** How long a poll may wait for news, in whole seconds. */
export function pollSecondsOf(context: SessionContext): number {
  return Math.min(longestPoll, Math.floor(context.bound() / asksPerBound / 1000));
}

/** Where to follow the log from here on. */
export function feedPath({ log, guardId, lease }: SessionContext, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ cursor: log.cursor ?? '', guard: guardId, lease: String(lease), ...more });
  return `feed?${query.toString()}`;
}
