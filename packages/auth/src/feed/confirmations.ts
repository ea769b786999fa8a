import { setTimeout as delay } from 'node:timers/promises';
import { AuthError } from '../errors.ts';
import { steadyTime, type Clock } from '../ports.ts';
import type { Store } from '../stores/store.ts';

/** How often it is looked at how far the guards have come, in milliseconds. */
const lookInterval = 10;

/** How long anybody waits for guards at most, in milliseconds: longer than the leases that guards have by default. */
const longestWait = 45_000;

/** What became of a change that somebody waited for. */
export interface Confirmation {
  /** How many guards have applied it. */
  readonly acknowledged: number;
  /** How many were not heard of until their leases had run out: they grant nothing now. */
  readonly lapsed: number;
  /** How many may still go by what they knew: only after 45 seconds, for guards with longer leases than that. */
  readonly pending: number;
  /** How long it took altogether. */
  readonly milliseconds: number;
}

/** Of a change that did not have to be made. */
export const nothingToConfirm: Confirmation = { acknowledged: 0, lapsed: 0, pending: 0, milliseconds: 0 };

/** What confirming works with. */
export interface ConfirmationDependencies {
  readonly store: Pick<Store, 'changes' | 'guards'>;
  readonly clock: Clock;
}

interface Waiting {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Waits until every guard knows something, or has stopped granting. It asks the database, where all processes write how far
 * their guards have come; one look serves everybody who waits.
 */
export class Confirmations {
  readonly #dependencies: ConfirmationDependencies;
  readonly #waiting = new Set<Waiting>();
  #isLooking = false;

  constructor(dependencies: ConfirmationDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Does something that appends a change, and waits for the guards.
   *
   * @param change the kind and the key of what it appends
   */
  async of<Result>(
    change: { readonly kind: number; readonly key: string },
    work: () => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly confirmation: Confirmation }> {
    const began = steadyTime();
    const result = await work();
    const committedAt = this.#dependencies.clock();
    const sequence = (await this.#dependencies.store.changes.find(change.kind, change.key))?.sequence ?? 0;
    await this.#known(sequence);
    const counts = await this.#count(sequence, committedAt);
    return { result, confirmation: { ...counts, milliseconds: Math.round(steadyTime() - began) } };
  }

  /** Nobody will look any more. */
  stop(): void {
    const error = new AuthError('store_unavailable', 'stopped while waiting for guards', { retryAfter: 1 });
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  async #known(sequence: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const waiting = { sequence, resolve, reject };
      this.#waiting.add(waiting);
      timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        resolve();
      }, longestWait);
      if (!this.#isLooking) void this.#look();
    }).finally(() => clearTimeout(timer));
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#waiting.size > 0) {
      await this.#settle().catch(() => undefined);
      if (this.#waiting.size > 0) await delay(lookInterval);
    }
    this.#isLooking = false;
  }

  async #settle(): Promise<void> {
    // Who comes while the database is asked may have committed after it looked.
    const asking = [...this.#waiting];
    const lowest = (await this.#dependencies.store.guards.lowestPlace(this.#dependencies.clock())) ?? Infinity;
    for (const waiting of asking) {
      if (waiting.sequence > lowest || !this.#waiting.delete(waiting)) continue;
      waiting.resolve();
    }
  }

  async #count(sequence: number, committedAt: Date): Promise<Omit<Confirmation, 'milliseconds'>> {
    const { store, clock } = this.#dependencies;
    const now = clock();
    const guards = await store.guards.listLeased(committedAt);
    const behind = guards.filter(({ acknowledged }) => acknowledged < sequence);
    const lapsed = behind.filter(({ leaseUntil }) => leaseUntil <= now).length;
    return { acknowledged: guards.length - behind.length, lapsed, pending: behind.length - lapsed };
  }
}
