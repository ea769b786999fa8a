/** How those who wait for the log to grow are woken. */
export interface Wakeups {
  /** Calls back whenever the log may have grown, until the function it returns is called. */
  watch(wake: () => void): () => void;
  /** Says that this process has made it grow. */
  announce(): void;
  close(): void;
}

/** Wakes those in this process, directly. */
export class LocalWakeups implements Wakeups {
  readonly #watchers = new Set<() => void>();

  watch(wake: () => void): () => void {
    // One entry for each call, whoever calls.
    const watcher = (): void => wake();
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  announce(): void {
    for (const wake of this.#watchers) wake();
  }

  close(): void {
    this.#watchers.clear();
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }
}
