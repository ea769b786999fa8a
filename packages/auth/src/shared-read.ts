/**
 * A read that many ask for at about the same time. Whoever asks gets the answer of one that begins afterwards, together
 * with everybody else who has asked since the one before began.
 */
export class SharedRead<Answer> {
  readonly #read: () => Promise<Answer>;
  #last: Promise<unknown> = Promise.resolve();
  #next: Promise<Answer> | undefined;

  constructor(read: () => Promise<Answer>) {
    this.#read = read;
  }

  ask(): Promise<Answer> {
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
