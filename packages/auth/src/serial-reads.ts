import { steadyTime } from './ports.ts';

/**
 * Reads that many ask for at about the same time, one after the other. Whoever asks gets the answer of one that begins
 * afterwards, together with everybody else who has asked since the one before began. Guards have the like of it.
 */
export class SerialReads<Answer> {
  readonly #read: () => Promise<Answer>;
  #last: Promise<unknown> = Promise.resolve();
  /** The read that began last, and when it did, on the steady clock. */
  #latest: { readonly answer: Promise<Answer>; readonly began: number } | undefined;
  #next: Promise<Answer> | undefined;

  constructor(read: () => Promise<Answer>) {
    this.#read = read;
  }

  fresh(): Promise<Answer> {
    this.#next ??= this.#queue();
    return this.#next;
  }

  /** The answer of the read that began last if that is no longer ago than so many milliseconds, else a fresh one. */
  recent(milliseconds: number): Promise<Answer> {
    const latest = this.#latest;
    return latest !== undefined && steadyTime() - latest.began <= milliseconds ? latest.answer : this.fresh();
  }

  #queue(): Promise<Answer> {
    const read = this.#last.then(() => {
      this.#next = undefined;
      this.#latest = { answer: read, began: steadyTime() };
      return this.#read();
    });
    this.#last = read.catch(() => (this.#latest = undefined));
    return read;
  }
}
