import type { AccessTokenClaims } from '@sallyport/jwt';

/** Tokens that were made after everything that is known: either entries are on their way, or a history was lost. */
export class Lag {
  /** The furthest position that was seen and is not known yet; 0: none. */
  #furthest = 0;
  /** When it was first seen that something is missing. */
  #since = Number.POSITIVE_INFINITY;
  /** When the furthest position was seen. */
  #furthestAt = Number.NEGATIVE_INFINITY;

  /** A token was seen that was made at this position; true when none was from so far beyond. */
  note({ af = 0 }: AccessTokenClaims, monotonic: number): boolean {
    if (this.#furthest === 0) this.#since = monotonic;
    if (af <= this.#furthest) return false;
    this.#furthest = af;
    this.#furthestAt = monotonic;
    return true;
  }

  /** Everything up to this position is known now. */
  settle(head: number): void {
    if (head >= this.#furthest) this.#furthest = 0;
  }

  /** How long something has been missing, in milliseconds; 0 when nothing is. */
  lastsAt(monotonic: number): number {
    return this.#furthest === 0 ? 0 : monotonic - this.#since;
  }

  /**
   * The log was at this head at that moment. A position beyond it that had been seen before is of a lost history, and
   * is returned.
   */
  rule(head: number, moment: number): number | undefined {
    if (this.#furthest === 0 || moment <= this.#furthestAt || head >= this.#furthest) return undefined;
    const lost = this.#furthest;
    this.#furthest = 0;
    return lost;
  }
}
