/**
 * Reads that many ask for at about the same time, one after the other. Whoever asks gets the answer of one that begins
 * afterwards, together with everybody else who has asked since the one before began. Guards have the like of it.
 */
export class SerialReads<Answer> {
  readonly #read: () => Promise<Answer>;
  #last: Promise<unknown> = Promise.resolve();
  #next: Promise<Answer> | undefined;

  constructor(read: () => Promise<Answer>) {
    this.#read = read;
  }

  fresh(): Promise<Answer> {
    this.#next ??= this.#queue();
    return this.#next;
  }

  #queue(): Promise<Answer> {
    const read = this.#last.then(() => {
      this.#next = undefined;
      return this.#read();
    });
    this.#last = read.catch(() => undefined);
    return read;
  }
}
