import type { Moment } from './clocks.ts';

/**
 * Up to when everything is known.
 *
 * Time has passed by whichever clock says that more has: one of them stands still while the machine sleeps, the other
 * can be set back.
 */
export class Lease {
  #monotonic = Number.NEGATIVE_INFINITY;
  #wall = Number.NEGATIVE_INFINITY;

  /** Everything was known `age` milliseconds before a moment. An older proof than the last one changes nothing. */
  renew({ monotonic, wall }: Moment, age: number): void {
    if (monotonic - age <= this.#monotonic) return;
    this.#monotonic = monotonic - age;
    this.#wall = wall - age;
  }

  /** How long ago everything was known, in milliseconds; infinite when it never was. */
  ageAt(monotonic: number, wall: number): number {
    return Math.max(monotonic - this.#monotonic, wall - this.#wall);
  }

  /** Whether everything was known at a moment, or later. */
  reaches(monotonic: number): boolean {
    return this.#monotonic > monotonic;
  }
}
