import { setTimeout as pause } from 'node:timers/promises';
import { type Moment, momentOf } from './clocks.ts';
import { FeedFault } from './fault.ts';
import type { Echo } from './messages.ts';
import { periodOf, type SessionContext } from './session.ts';

/** Pings that reached another process, one after the other, before that counts as a rule. */
const mostStrays = 3;
const pauseAfterStray = 100;
/**
 * How long the turns are, in milliseconds, in each of which one ping is sent at most: it then acknowledges much that came.
 * They begin at the same moments for everybody, so that a server hears of all its guards at about the same time. Where
 * pings take long, turns are left out, for so many times as long as one took: the server is busy.
 */
const turn = 20;
const restPerPing = 3;
const longestRest = 100;
/** Pings whose echo is awaited; older ones prove nothing new. */
const mostAwaited = 64;

/** What a ping is for: to acknowledge what has come, or, besides, to be echoed behind all that comes. */
export type PingPurpose = 'acknowledgement' | 'echo';

/** Sends pings, one at a time, and knows when each was sent. */
export class Pings {
  readonly #context: SessionContext;
  readonly #onFault: (fault: FeedFault) => void;
  readonly #sent = new Map<number, Moment>();
  #number = 0;
  /** When the next one may be sent, by the wall clock. */
  #nextTurn = Number.NEGATIVE_INFINITY;
  #isUnderWay = false;
  #wanted: PingPurpose | undefined;
  #strays = 0;

  constructor(context: SessionContext, onFault: (fault: FeedFault) => void) {
    this.#context = context;
    this.#onFault = onFault;
  }

  /** Sends a ping now, or soon, once the one before has been received: the first one waits for nothing. */
  request(purpose: PingPurpose): void {
    if (this.#wanted !== 'echo') this.#wanted = purpose;
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
    while (this.#wanted !== undefined && !this.#context.signal.aborted) {
      await this.#gather();
      if (this.#context.signal.aborted) break;
      const purpose = this.#wanted;
      this.#wanted = undefined;
      await this.#send(purpose).catch((error: unknown) => this.#bear(error));
    }
    this.#isUnderWay = false;
  }

  /** Waits for its turn; not where the clock has been set back. */
  async #gather(): Promise<void> {
    const { clocks, signal } = this.#context;
    const rest = this.#nextTurn - clocks.wall();
    if (rest <= 0 || rest > longestRest) return;
    await pause(rest, undefined, { ref: false, signal }).catch(() => undefined);
  }

  async #send(purpose: PingPurpose): Promise<void> {
    const { node, log, clocks, guardId } = this.#context;
    const sent = momentOf(clocks);
    this.#nextTurn = turnAfter(sent.wall);
    this.#number += 1;
    const isEchoed = purpose === 'echo';
    if (isEchoed) this.#await(sent);
    const ping = { guard: guardId, n: this.#number, cursor: log.cursor, ...(!isEchoed && { echo: false }) };
    const text = JSON.stringify(ping);
    const request = { path: 'feed/ping', accept: '*/*', body: { type: 'application/json', text } };
    const answer = await node.send({ ...request, patience: 2 * periodOf(this.#context) }, 204, 410);
    answer.body.resume();
    const rest = restPerPing * (clocks.monotonic() - sent.monotonic);
    this.#nextTurn = turnAfter(sent.wall + Math.min(rest, longestRest - turn));
    if (answer.status === 410) this.#stray();
  }

  #await(sent: Moment): void {
    this.#sent.set(this.#number, sent);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > mostAwaited && oldest !== undefined) this.#sent.delete(oldest);
  }

  #stray(): void {
    this.#strays += 1;
    if (this.#strays >= mostStrays) {
      this.#onFault(new FeedFault('elsewhere', `Pings to ${this.#context.node.url} do not reach the stream's process`));
      return;
    }
    setTimeout(() => this.request('echo'), pauseAfterStray).unref();
  }

  /** A ping that got lost is made up for by the next; the stream tells for itself when it ends. */
  #bear(error: unknown): void {
    if (error instanceof FeedFault && error.reason !== 'refused' && error.reason !== 'malformed') return;
    this.#onFault(error instanceof FeedFault ? error : new FeedFault('malformed', String(error), { cause: error }));
  }
}

/** When the first turn begins after a moment. */
function turnAfter(wall: number): number {
  return (Math.floor(wall / turn) + 1) * turn;
}
