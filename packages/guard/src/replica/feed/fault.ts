/**
 * Why following the feed came to a stop.
 *
 * - `lost`: no connection, or it broke off. `silent`: nothing came any more.
 * - `deaf`: what comes proves nothing: pings are not echoed in time.
 * - `elsewhere`: pings do not reach the process that holds the stream.
 * - `behind`: tokens prove that entries are missing which do not come.
 * - `resync`, `gap`: the position cannot be continued; take the snapshot.
 * - `restored`: the log is another one; take the snapshot.
 * - `outpaced`: the process knows less of the log than this guard.
 * - `bye`: the process stops.
 * - `refused`: the credential is. `unavailable`: the process cannot answer. `malformed`: it does not speak the protocol.
 * - `unsupported`: it speaks no version that this one knows.
 */
export type FeedFaultReason =
  | 'lost'
  | 'silent'
  | 'deaf'
  | 'elsewhere'
  | 'behind'
  | 'resync'
  | 'gap'
  | 'restored'
  | 'outpaced'
  | 'bye'
  | 'refused'
  | 'unavailable'
  | 'malformed'
  | 'unsupported';

/** What ended a connection to the feed. The message is for operators; it never holds anything secret. */
export class FeedFault extends Error {
  override readonly name = 'FeedFault';
  readonly reason: FeedFaultReason;
  /** How long to wait before the next connection, in milliseconds, where the process asked for it. */
  readonly pause: number;

  constructor(
    reason: FeedFaultReason,
    message: string,
    { cause, pause = 0 }: { cause?: unknown; pause?: number } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.pause = pause;
  }
}
