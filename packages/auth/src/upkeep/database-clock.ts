import type { Clock } from '../ports.ts';
import type { Store } from '../stores/store.ts';

/** Smaller differences are left alone, in milliseconds: every clock is off by a little. */
const tolerance = 500;
/** How far a clock must be from where it should have got since it was last read to have been set, in milliseconds. */
const jump = 2_000;

/** What a {@link DatabaseClock} reads. */
export interface Clocks {
  readonly own: Clock;
  /** Milliseconds that nobody can set. */
  readonly steady: () => number;
  readonly database: Pick<Store['changes'], 'time'>;
}

/**
 * The time of the database, so that servers whose own clocks differ agree on what is now: what one of them issues the
 * others take for issued, and the few seconds a retry has are the same few seconds everywhere.
 *
 * Where the own clock is set meanwhile, the time goes on as if it had not been, until the database is asked.
 */
export class DatabaseClock {
  readonly #clocks: Clocks;
  /** How far the own clock is ahead, in milliseconds; undefined while it is the only one. */
  #ahead: number | undefined;
  #last: { readonly own: number; readonly steady: number };

  constructor(clocks: Clocks) {
    this.#clocks = clocks;
    this.#last = this.#read();
  }

  /** Now, as of the last adjustment. */
  readonly now: Clock = () => {
    const { own, steady } = this.#read();
    const set = own - this.#last.own - (steady - this.#last.steady);
    this.#last = { own, steady };
    if (this.#ahead !== undefined && Math.abs(set) > jump) {
      this.#ahead += set;
      // A database that is away is asked again by the next round of upkeep.
      this.adjust().catch(() => undefined);
    }
    return new Date(own - (this.#ahead ?? 0));
  };

  /** Compares the clocks. A difference that the way to the database and back can explain is none. */
  async adjust(): Promise<void> {
    const asked = this.#read();
    const theirs = await this.#clocks.database.time();
    const answered = this.#read();
    if (theirs === undefined) return;
    const way = answered.steady - asked.steady;
    const ahead = answered.own - way / 2 - theirs.getTime();
    this.#ahead = Math.abs(ahead) > way / 2 + tolerance ? ahead : 0;
    this.#last = answered;
  }

  #read(): { readonly own: number; readonly steady: number } {
    return { own: this.#clocks.own().getTime(), steady: this.#clocks.steady() };
  }
}
