import { FeedFault, type FeedFaultReason } from './fault.ts';

/** How the log is followed: by a stream of events, by asking again and again, or by whichever works. */
export type Transport = 'auto' | 'stream' | 'poll';

/** A stream that works nowhere because of what lies between. */
const streamFaults: readonly FeedFaultReason[] = ['deaf', 'elsewhere', 'malformed'];
const mostStreamFaults = 2;
/** How long polling goes on before a stream is tried again, in milliseconds. */
const rests = { first: 60_000, longest: 600_000 } as const;

/**
 * Chooses between stream and polling.
 *
 * Streams are better: news comes at once. Proxies that hold them back, or that spread pings over several processes,
 * make them useless, and that shows in their faults.
 */
export class TransportChoice {
  readonly #asked: Transport;
  #faults = 0;
  #rest: number = rests.first;

  constructor(asked: Transport) {
    this.#asked = asked;
  }

  /** How to follow next: undefined for a stream, else how long to poll, in milliseconds. */
  next(): number | undefined {
    if (this.#asked === 'poll') return Number.POSITIVE_INFINITY;
    return this.#asked === 'stream' || this.#faults < mostStreamFaults ? undefined : this.#rest;
  }

  /** A stream ended, by a fault or by something else that may happen to any connection. */
  noteStream(fault: unknown): void {
    if (fault instanceof FeedFault && streamFaults.includes(fault.reason)) {
      this.#faults += 1;
      return;
    }
    this.#faults = 0;
    this.#rest = rests.first;
  }

  /** Polling is over for now: one more fault of a stream, and it goes on for longer. */
  noteRest(): void {
    this.#faults = mostStreamFaults - 1;
    this.#rest = Math.min(rests.longest, this.#rest * 2);
  }
}
