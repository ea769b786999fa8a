import { setTimeout as pause } from 'node:timers/promises';
import { type Moment, momentOf } from './clocks.ts';
import { FeedFault } from './fault.ts';
import type { Echo } from './messages.ts';
import { PingSequence, type WirePing } from './ping-sequence.ts';
import { periodOf, type SessionContext } from './session.ts';

/** Pings for an echo that reached another process, one after the other, before that counts as a rule. */
const mostStrays = 3;
const pauseAfterStray = 100;

/**
 * How long the turns are, in milliseconds, in each of which one ping is sent at most: it then acknowledges much that came.
 * They begin at the same moments for everybody, so that a server hears of all its guards at about the same time. A request of
 * its own costs a ping much more than a record in one that goes on.
 */
const turns = { ofRequests: 20, ofRecords: 5 };

/**
 * Where answers take long, the server is busy. A request is followed by a rest twice as long as it took; a record by one as
 * long as the shortest of the last few echoes took (one may be late by chance), and as long again, but no more than
 * `longestAgain`: what takes longer is rather far away than busy. In milliseconds.
 */
const restPerRequest = 2;
const longestAgain = 10;
const echoesRemembered = 3;
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
  readonly #sequence: PingSequence;
  /** How long the last echoes took, in milliseconds. */
  #latencies: readonly number[] = [];
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
    this.#sequence = new PingSequence(context, () => this.request('echo'));
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
    if (sent !== undefined) this.#noteEcho(number, sent);
    return sent;
  }

  /** The session is over: sends nothing any more. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#retry);
    this.#sequence.stop();
  }

  #noteEcho(number: number, sent: Moment): void {
    this.#strays = 0;
    const took = this.#context.clocks.monotonic() - sent.monotonic;
    this.#latencies = [took, ...this.#latencies].slice(0, echoesRemembered);
    this.#sequence.noteEcho(number);
    if (this.#sequence.mayBeTried && !this.#isOver) this.#sequence.try(this.#write('echo'));
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
    if (rest <= 0 || rest > longestRest + turns.ofRequests) return;
    await pause(rest, undefined, { ref: false, signal }).catch(() => undefined);
  }

  async #send(purpose: PingPurpose): Promise<void> {
    const ping = this.#write(purpose);
    if (this.#sequence.send(ping)) this.#rest(turns.ofRecords, restAfter(Math.min(...this.#latencies)));
    else await this.#sendAlone(ping, purpose);
  }

  #write(purpose: PingPurpose): WirePing {
    const { log, clocks, guardId, nextPing } = this.#context;
    const ping = { guard: guardId, n: nextPing(), cursor: log.cursor };
    if (purpose === 'acknowledgement') return { ...ping, echo: false };
    this.#expect(ping.n, momentOf(clocks));
    return ping;
  }

  async #sendAlone(ping: WirePing, purpose: PingPurpose): Promise<void> {
    const { node, clocks } = this.#context;
    const sentAt = clocks.monotonic();
    const body = { type: 'application/json', text: JSON.stringify(ping) };
    const request = { path: 'feed/ping', accept: '*/*', body, patience: 2 * periodOf(this.#context) };
    try {
      const answer = await node.send(request, 204, 410);
      answer.body.resume();
      if (answer.status === 410) this.#stray(purpose);
    } finally {
      this.#rest(turns.ofRequests, restPerRequest * (clocks.monotonic() - sentAt));
    }
  }

  #rest(turn: number, milliseconds: number): void {
    this.#nextTurn = turnAfter(this.#context.clocks.wall() + Math.min(milliseconds, longestRest), turn);
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

/** How long to rest after a record whose echo takes so long, in milliseconds. */
function restAfter(echo: number): number {
  return echo + Math.min(echo, longestAgain);
}

/** When the first turn begins after a moment. */
function turnAfter(wall: number, turn: number): number {
  return (Math.floor(wall / turn) + 1) * turn;
}
