import type { Clock } from '../ports.ts';
import type { Store } from '../stores/store.ts';

/** Smaller differences are left alone, in milliseconds: every clock is off by a little. */
const tolerance = 500;

/**
 * The time of the database, so that servers whose own clocks differ agree on what is now: what one of them issues the
 * others take for issued, and the few seconds a retry has are the same few seconds everywhere.
 */
export class DatabaseClock {
  readonly #changes: Pick<Store['changes'], 'time'>;
  readonly #own: Clock;
  /** How far the own clock is ahead, in milliseconds. */
  #ahead = 0;

  constructor(changes: Pick<Store['changes'], 'time'>, own: Clock) {
    this.#changes = changes;
    this.#own = own;
  }

  /** Now, as of the last adjustment. */
  readonly now: Clock = () => new Date(this.#own().getTime() - this.#ahead);

  /** Compares the clocks. A difference that the way to the database and back can explain is none. */
  async adjust(): Promise<void> {
    const asked = this.#own().getTime();
    const theirs = await this.#changes.time();
    const answered = this.#own().getTime();
    if (theirs === undefined) return;
    const ahead = (asked + answered) / 2 - theirs.getTime();
    const doubt = Math.abs(answered - asked) / 2 + tolerance;
    this.#ahead = Math.abs(ahead) > doubt ? ahead : 0;
  }
}
