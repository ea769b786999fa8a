import type { Clock } from '../ports.ts';

/** A moment, by both of a computer's clocks. */
export interface Instant {
  readonly steady: number;
  readonly wall: number;
}

/**
 * Tells how much time has passed, never too little: one clock stands still while the computer sleeps, the other one may be
 * set back. What is older than it seems must not be taken for fresh.
 */
export class ElapsedTime {
  readonly #steady: () => number;
  readonly #clock: Clock;

  constructor(steady: () => number, clock: Clock) {
    this.#steady = steady;
    this.#clock = clock;
  }

  now(): Instant {
    return { steady: this.#steady(), wall: this.#clock().getTime() };
  }

  /** Milliseconds since a moment. */
  since(moment: Instant): number {
    const { steady, wall } = this.now();
    return Math.max(0, steady - moment.steady, wall - moment.wall);
  }
}
