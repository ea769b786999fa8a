import type { Pruned } from './pruned.ts';

/** How many rows one transaction looks at. */
const stretch = 500;
/** How many stretches without anything to remove one round looks at, and how many at most. */
const idleStretches = 20;
const mostStretches = 400;

/**
 * How long everything is kept after it stopped mattering, in seconds: two days. Clocks that are a day ahead remove
 * nothing that others need, and clocks that are set back find what happened.
 */
export const keptFor: number = 2 * 86_400;

/** Removes what is over from one table: `limit` rows from `after` on. */
export type Prune<Cursor> = (after: Cursor, limit: number) => Promise<Pruned<Cursor>>;

/**
 * Goes round a table in its key's order, a short stretch at a time, each a transaction of its own: no index has to be
 * kept for it, nothing waits for it for long, and it harms nobody that others do the same.
 */
export class Round<Cursor> {
  readonly #first: Cursor;
  readonly #prune: Prune<Cursor>;
  #cursor: Cursor;

  /** @param from where to begin the first time; servers that begin at different places do not do the same work */
  constructor(first: Cursor, prune: Prune<Cursor>, from: Cursor = first) {
    this.#first = first;
    this.#prune = prune;
    this.#cursor = from;
  }

  /**
   * Looks at a bounded part of the table, longer where there is something to remove; says how much was removed.
   *
   * @param isOver tells after each stretch whether to stop there
   */
  async run(isOver: () => boolean = () => false): Promise<number> {
    let [removed, idle, ends] = [0, 0, 0];
    // At the end of the table it goes on from the beginning, once: a small table is looked at as a whole.
    for (let count = 0; count < mostStretches && idle < idleStretches && ends < 2 && !isOver(); count += 1) {
      const pruned = await this.#prune(this.#cursor, stretch);
      removed += pruned.removed;
      idle = pruned.removed === 0 ? idle + 1 : 0;
      this.#cursor = pruned.next ?? this.#first;
      if (pruned.next === undefined) ends += 1;
    }
    return removed;
  }
}
