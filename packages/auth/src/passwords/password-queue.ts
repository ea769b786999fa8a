import { AuthError } from '../errors.ts';

/** How many calls may wait before new ones are turned away. */
const longestQueue = 256;

/**
 * Runs at most `width` password hashes at once and lets a bounded number wait.
 *
 * Hashing fills the thread pool that file reads and DNS share: more in flight than cores does not hash faster, it only
 * makes everything else stand still.
 */
export class PasswordQueue {
  readonly #width: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(width: number) {
    this.#width = width;
  }

  /** @throws {AuthError} `busy` when too many wait already */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#width) this.#running += 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= longestQueue) {
      throw new AuthError('busy', 'too many passwords are being checked', { retryAfter: 2 });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place to whoever waits longest, without ever counting it as free in between. */
  #passOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
