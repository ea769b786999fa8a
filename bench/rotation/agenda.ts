/** Draws numbers from 0 to below 1: the same ones for the same seed (mulberry32). */
export type Chance = () => number;

export function seeded(seed: number): Chance {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function between(chance: Chance, least: number, most: number): number {
  return least + (most - least) * chance();
}

type Action = () => Promise<void> | void;

interface Entry {
  readonly time: number;
  readonly action: Action;
}

/** Virtual time: what is going to happen, in order. Nothing waits; the clock jumps from one entry to the next. */
export class Agenda {
  /** Latest first: most entries belong near the end, where inserting and taking cost nothing. */
  readonly #entries: Entry[] = [];
  #now = 0;
  #stopped = false;

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  after(milliseconds: number, action: Action): void {
    const time = this.#now + milliseconds;
    let place = this.#entries.length;
    while (place > 0 && (this.#entries[place - 1]?.time ?? Infinity) <= time) place -= 1;
    this.#entries.splice(place, 0, { time, action });
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(until: number): Promise<void> {
    for (let entry = this.#entries.pop(); entry !== undefined && !this.#stopped; entry = this.#entries.pop()) {
      if (entry.time > until) return;
      this.#now = entry.time;
      await entry.action();
    }
  }
}
