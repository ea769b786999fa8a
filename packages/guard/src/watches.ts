/** Something that is looked at again and again. */
export interface Watched {
  /** When it ends by itself. */
  readonly expiresAt: Date;
  /** Looks whether it still stands, and sees to the end if not. */
  look(): void | Promise<void>;
}

export interface WatchesOptions {
  readonly now: () => Date;
  /** Calls back when something may have changed; answers how to end that. */
  readonly onChange: (listener: () => void) => () => void;
}

/** However quiet it is: clocks may be set, and what is known grows old. In milliseconds. */
const lookAtLeastEvery = 1000;
/** However busy it is: a flood of changes is looked at in rounds. In milliseconds. */
const lookAtMostEvery = 20;

/**
 * Looks at everything that is watched: when something may have changed, when the first of it expires, and once a second.
 *
 * One timer for all of it, which keeps no process alive.
 */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #unsubscribe: (() => void) | undefined;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    this.#unsubscribe ??= this.#options.onChange(() => this.#lookWithin(0));
    // What was granted a moment ago may have been lost since.
    this.#lookWithin(0);
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    clearTimeout(this.#timer);
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  #lookWithin(patience: number): void {
    const now = performance.now();
    const dueAt = Math.max(now + patience, this.#lookedAt + lookAtMostEvery);
    if (dueAt >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => this.#look(), dueAt - now).unref();
  }

  #look(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#lookedAt = performance.now();
    for (const watched of this.#watched) void watched.look();
    if (this.#watched.size > 0) this.#lookWithin(this.#untilFirstExpiry());
  }

  #untilFirstExpiry(): number {
    const now = this.#options.now().getTime();
    const left = [...this.#watched].map(({ expiresAt }) => expiresAt.getTime() - now);
    return Math.max(
      0,
      left.reduce((one, other) => Math.min(one, other), lookAtLeastEvery),
    );
  }
}
