import { setTimeout as pause } from 'node:timers/promises';
import { type Moment, momentOf } from './clocks.ts';
import { FeedFault } from './fault.ts';
import type { Echo } from './messages.ts';
import { periodOf, type SessionContext } from './session.ts';

/** Pings for an echo that reached another process, one after the other, before that counts as a rule. */
const mostStrays = 3;
const pauseAfterStray = 100;

/**
 * How long the turns are, in milliseconds, in each of which one ping is sent at most: it then acknowledges much that came.
 * They begin at the same moments for everybody, so that a server hears of all its guards at about the same time.
 */
const turn = 20;

/** A ping that took long is followed by a rest, so many times as long, and at most so many milliseconds: the server is busy. */
const restPerPing = 2;
const longestRest = 100;

/** Pings whose echo is expected; older ones prove nothing new. */
const mostExpected = 64;

/** What a ping is for: to acknowledge what has come, or, besides, to be echoed behind all that comes. */
export type PingPurpose = 'acknowledgement' | 'echo';

/** Sends the pings of one session, one at a time, and knows when each was sent. */
export class Pings {
  readonly #context: SessionContext;
  readonly #onFault: (fault: FeedFault) => void;
  /** When those were sent that ask for an echo, by their numbers, in ascending order. */
  readonly #expected = new Map<number, Moment>();
  /** When the next one may be sent, by the wall clock. */
  #nextTurn = Number.NEGATIVE_INFINITY;
  #isUnderWay = false;
  #isOver = false;
  #wanted: PingPurpose | undefined;
  #strays = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(context: SessionContext, onFault: (fault: FeedFault) => void) {
    this.#context = context;
    this.#onFault = onFault;
  }

  /** Sends a ping now, or in the next turn, once the one before has been received: the first one waits for nothing. */
  request(purpose: PingPurpose): void {
    if (this.#wanted !== 'echo') this.#wanted = purpose;
    if (!this.#isUnderWay) void this.#sendWanted();
  }

  /** When the ping was sent that this echo answers, or one before it; undefined when nobody knows any more. */
  settle({ number }: Echo): Moment | undefined {
    let sent: Moment | undefined;
    for (const [each, moment] of this.#expected) {
      if (each > number) break;
      sent = moment;
      this.#expected.delete(each);
    }
    if (sent !== undefined) this.#strays = 0;
    return sent;
  }

  /** The session is over: sends nothing any more. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#retry);
  }

  async #sendWanted(): Promise<void> {
    this.#isUnderWay = true;
    while (this.#wanted !== undefined) {
      await this.#waitForTurn();
      if (this.#isOver || this.#context.signal.aborted) break;
      const purpose = this.#wanted;
      this.#wanted = undefined;
      await this.#send(purpose).catch((error: unknown) => this.#bear(error));
    }
    this.#isUnderWay = false;
  }

  /** Not for long where the clock has been set back. */
  async #waitForTurn(): Promise<void> {
    const { clocks, signal } = this.#context;
    const rest = this.#nextTurn - clocks.wall();
    if (rest <= 0 || rest > longestRest + turn) return;
    await pause(rest, undefined, { ref: false, signal }).catch(() => undefined);
  }

  async #send(purpose: PingPurpose): Promise<void> {
    const { node, log, clocks, guardId, nextPing } = this.#context;
    const sent = momentOf(clocks);
    const isEchoed = purpose === 'echo';
    const ping = { guard: guardId, n: nextPing(), cursor: log.cursor, ...(!isEchoed && { echo: false }) };
    if (isEchoed) this.#expect(ping.n, sent);
    const body = { type: 'application/json', text: JSON.stringify(ping) };
    const request = { path: 'feed/ping', accept: '*/*', body, patience: 2 * periodOf(this.#context) };
    try {
      const answer = await node.send(request, 204, 410);
      answer.body.resume();
      if (answer.status === 410) this.#stray(purpose);
    } finally {
      const rest = restPerPing * (clocks.monotonic() - sent.monotonic);
      this.#nextTurn = turnAfter(clocks.wall() + Math.min(rest, longestRest));
    }
  }

  #expect(number: number, sent: Moment): void {
    this.#expected.set(number, sent);
    const [oldest] = this.#expected.keys();
    if (this.#expected.size > mostExpected && oldest !== undefined) this.#expected.delete(oldest);
  }

  /** Only an echo proves that a process is the right one, so that only those who ask for it count. */
  #stray(purpose: PingPurpose): void {
    if (purpose === 'echo') this.#strays += 1;
    if (this.#strays >= mostStrays) {
      this.#onFault(new FeedFault('elsewhere', `Pings to ${this.#context.node.url} do not reach the stream's process`));
      return;
    }
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.request('echo');
    }, pauseAfterStray).unref();
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
