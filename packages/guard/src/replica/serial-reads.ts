/**
 * Lets parallel callers share one read, but only a read that began after they asked.
 *
 * A read already under way may have passed the change a caller must not miss, so whoever comes while it runs waits
 * for the next one. Reads never overlap, and between two of them at most one is queued.
 */
export class SerialReads {
  readonly #read: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #notBegun: Promise<void> | undefined;

  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /** Resolves after a read that began later than this call; rejects when that read does. */
  fresh(): Promise<void> {
    this.#notBegun ??= this.#queue();
    return this.#notBegun;
  }

  #queue(): Promise<void> {
    const read = this.#last.then(() => {
      this.#notBegun = undefined;
      return this.#read();
    });
    this.#last = read.catch(() => undefined);
    return read;
  }
}
