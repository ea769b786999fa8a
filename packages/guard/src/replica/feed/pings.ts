import { setTimeout as pause } from 'node:timers/promises';
import { type Moment, momentOf } from './clocks.ts';
import { FeedFault } from './fault.ts';
import type { Echo } from './messages.ts';
import { periodOf, type SessionContext } from './session.ts';

/** Pings that reached another process, one after the other, before that counts as a rule. */
const mostStrays = 3;
const pauseAfterStray = 100;
/** How long after a ping the next one is sent at the earliest, in milliseconds: one then acknowledges much that came. */
const gathering = 20;
/** Pings whose echo is awaited; older ones prove nothing new. */
const mostAwaited = 64;

/** Sends pings, one at a time, and knows when each was sent. */
export class Pings {
  readonly #context: SessionContext;
  readonly #onFault: (fault: FeedFault) => void;
  readonly #sent = new Map<number, Moment>();
  #number = 0;
  #sentAt = Number.NEGATIVE_INFINITY;
  #isUnderWay = false;
  #isWanted = false;
  #strays = 0;

  constructor(context: SessionContext, onFault: (fault: FeedFault) => void) {
    this.#context = context;
    this.#onFault = onFault;
  }

  /** Sends a ping now, or soon, once the one before has been received: the first one waits for nothing. */
  request(): void {
    this.#isWanted = true;
    if (!this.#isUnderWay) void this.#sendWanted();
  }

  /** When the ping was sent that this echo answers; undefined when nobody knows any more. */
  settle({ number }: Echo): Moment | undefined {
    const sent = this.#sent.get(number);
    for (const older of this.#sent.keys()) if (older <= number) this.#sent.delete(older);
    if (sent !== undefined) this.#strays = 0;
    return sent;
  }

  async #sendWanted(): Promise<void> {
    this.#isUnderWay = true;
    while (this.#isWanted && !this.#context.signal.aborted) {
      await this.#gather();
      if (this.#context.signal.aborted) break;
      this.#isWanted = false;
      await this.#send().catch((error: unknown) => this.#bear(error));
    }
    this.#isUnderWay = false;
  }

  async #gather(): Promise<void> {
    const { clocks, signal } = this.#context;
    const rest = this.#sentAt + gathering - clocks.monotonic();
    if (rest > 0) await pause(rest, undefined, { ref: false, signal }).catch(() => undefined);
  }

  async #send(): Promise<void> {
    const { node, log, clocks, guardId, signal } = this.#context;
    const sent = momentOf(clocks);
    this.#sentAt = sent.monotonic;
    this.#number += 1;
    this.#sent.set(this.#number, sent);
    if (this.#sent.size > mostAwaited) this.#sent.delete(this.#number - mostAwaited);
    const text = JSON.stringify({ guard: guardId, n: this.#number, cursor: log.cursor });
    const request = { path: 'feed/ping', accept: '*/*', body: { type: 'application/json', text } };
    const answer = await node.send({ ...request, patience: 2 * periodOf(this.#context), signal }, 204, 410);
    answer.body.resume();
    if (answer.status === 410) this.#stray();
  }

  #stray(): void {
    this.#strays += 1;
    if (this.#strays >= mostStrays) {
      this.#onFault(new FeedFault('elsewhere', `Pings to ${this.#context.node.url} do not reach the stream's process`));
      return;
    }
    setTimeout(() => this.request(), pauseAfterStray).unref();
  }

  /** A ping that got lost is made up for by the next; the stream tells for itself when it ends. */
  #bear(error: unknown): void {
    if (error instanceof FeedFault && error.reason !== 'refused' && error.reason !== 'malformed') return;
    this.#onFault(error instanceof FeedFault ? error : new FeedFault('malformed', String(error), { cause: error }));
  }
}
