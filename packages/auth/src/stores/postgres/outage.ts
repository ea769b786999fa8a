/** How long nobody tries after the first failure, and at most, in milliseconds: each failure in a row doubles it. */
const shortestPause = 50;
const longestPause = 1_000;

/**
 * Keeps a process from besieging a database that is away. After an attempt has failed, one caller tries again when a
 * pause has passed; all others are refused at once with the error of the last attempt, instead of waiting for one of
 * their own. The first success ends it.
 */
export class Outage {
  /** Milliseconds that pass evenly. */
  readonly #steady: () => number;
  #failures = 0;
  #pausedUntil = 0;
  #isTrying = false;
  #lastError: unknown;

  constructor(steady: () => number) {
    this.#steady = steady;
  }

  /** Does what may show whether the database is there, unless it would be too soon to ask again. */
  async attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#failures > 0 && (this.#isTrying || this.#steady() < this.#pausedUntil)) throw this.#lastError;
    this.#isTrying = true;
    try {
      const result = await work();
      this.#failures = 0;
      this.#lastError = undefined;
      return result;
    } catch (error) {
      this.noticed(error);
      throw error;
    } finally {
      this.#isTrying = false;
    }
  }

  /** The database has failed somebody: who tries next waits for a while. Failures of the same moment count once. */
  noticed(error: unknown): void {
    this.#lastError = error;
    if (this.#steady() < this.#pausedUntil) return;
    this.#failures += 1;
    this.#pausedUntil = this.#steady() + Math.min(longestPause, shortestPause * 2 ** (this.#failures - 1));
  }
}
