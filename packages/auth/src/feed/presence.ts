import type { Change } from '../changes/change.ts';
import type { Clock } from '../ports.ts';
import type { Store } from '../stores/store.ts';
import type { ElapsedTime, Instant } from './elapsed.ts';

/** How often the leases of the guards here are written down, in milliseconds. */
const interval = 1_000;

/**
 * How long the first guard that has got to what somebody waits for is kept from being written down, in milliseconds, so that
 * the others here are written down with it: they have been told at the same time.
 */
const gathering = 5;

/**
 * How much longer than to its end a lease is written down, in milliseconds: the guard is heard of again after a second or so,
 * and that is written down after a second at most.
 */
const slack = 4_000;

/** By how much the clocks of two servers may differ, in milliseconds. */
const clockMargin = 1_000;

/** A guard that this process speaks with. */
export interface FollowingGuard {
  readonly id: string;
  /** How long it goes on granting without an answer, in milliseconds. */
  readonly lease: number;
  /** When it was last heard of. */
  seenAt: Instant;
  /** The last entry it has applied. */
  acknowledged: number;
  /** When it had last been heard of when its lease was written down, which holds until then + lease + slack. */
  writtenAt: Instant | undefined;
}

/** What presence works with. */
export interface PresenceDependencies {
  readonly store: Pick<Store, 'guards'>;
  readonly node: string;
  readonly clock: Clock;
  readonly elapsed: ElapsedTime;
  /** Asks the database where the log ends. */
  readonly confirm: () => Promise<void>;
}

/**
 * Lets whoever waits for guards, in whatever process, know which there are: the guards that this process speaks with, in a
 * table, with the time until which each may go on granting by what it knows.
 *
 * No guard is told that it is fresh for longer than its lease has been written down: who is not in the table grants nothing.
 */
export class Presence {
  readonly #dependencies: PresenceDependencies;
  readonly #guards = new Map<string, FollowingGuard>();
  /** Those whose progress somebody waits for, and that have not been written down since. */
  readonly #awaited = new Map<string, FollowingGuard>();
  /** What is being written down. */
  readonly #writes = new Set<Promise<void>>();
  /** Those that are being taken off the list, by their ids. */
  readonly #dismissals = new Map<string, Promise<unknown>>();
  #lastAwaited = 0;
  /** Ends the waiting for the rest of them. */
  #endGathering: () => void = () => undefined;
  #isWriting = false;
  #isRenewing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(dependencies: PresenceDependencies) {
    this.#dependencies = dependencies;
  }

  /** Begins to speak with a guard, which is written down before anything is said to it. */
  async enter(id: string, lease: number, acknowledged: number): Promise<FollowingGuard> {
    // It may come back before it has gone.
    await this.#dismissals.get(id);
    const known = this.#guards.get(id);
    if (known?.lease === lease && this.ageOf(known) === 0) {
      this.hear(known, acknowledged);
      return known;
    }
    const guard = { id, lease, seenAt: this.#dependencies.elapsed.now(), acknowledged, writtenAt: undefined };
    this.#guards.set(id, guard);
    this.#timer ??= setInterval(() => void this.#renewAll(), interval).unref();
    // While the database is away it is told that it knows nothing new.
    await this.#renew([guard]).catch(() => undefined);
    return guard;
  }

  /** Hears of a guard, and how far it has come. */
  hear(guard: FollowingGuard, acknowledged: number): void {
    guard.seenAt = this.#dependencies.elapsed.now();
    this.#guards.set(guard.id, guard);
    if (acknowledged <= guard.acknowledged) return;
    const isAwaited = guard.acknowledged < this.#lastAwaited;
    guard.acknowledged = acknowledged;
    if (!isAwaited) return;
    this.#awaited.set(guard.id, guard);
    if (this.#isComplete) this.#endGathering();
    if (!this.#isWriting) void this.#writeAwaited();
  }

  /** Stops speaking with a guard. What is written down holds until it ends by itself: the guard may still grant. */
  leave(guard: FollowingGuard): void {
    if (this.#guards.get(guard.id) === guard) this.#guards.delete(guard.id);
  }

  /** Takes a guard off the list that has said it grants no more. */
  async dismiss(guard: FollowingGuard): Promise<void> {
    this.leave(guard);
    this.#awaited.delete(guard.id);
    const struck = this.#strike(guard.id);
    this.#dismissals.set(
      guard.id,
      struck.catch(() => undefined),
    );
    await struck.finally(() => this.#dismissals.delete(guard.id));
  }

  /** How old a guard must take its knowledge to be at least, in milliseconds, so that its lease ends before the written one. */
  ageOf({ writtenAt, lease }: FollowingGuard): number {
    return writtenAt === undefined ? lease : Math.max(0, this.#dependencies.elapsed.since(writtenAt) - slack);
  }

  /** The last entry that all have applied that were heard of here within their leases; `Infinity` where there are none. */
  get place(): number {
    let lowest = Infinity;
    for (const guard of this.#guards.values()) {
      if (guard.acknowledged < lowest && this.#isLeased(guard)) lowest = guard.acknowledged;
    }
    return lowest;
  }

  /** Notes the entries that somebody waits for. */
  noteAwaited(changes: readonly Change[]): void {
    this.#lastAwaited = changes.findLast(({ acknowledge }) => acknowledge)?.sequence ?? this.#lastAwaited;
  }

  /** Places in a log that does not go on say nothing. */
  forgetPlaces(): void {
    this.#lastAwaited = 0;
    for (const guard of this.#guards.values()) guard.acknowledged = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#guards.clear();
  }

  async #strike(id: string): Promise<void> {
    // What is under way would write it down again.
    await Promise.allSettled(this.#writes);
    await this.#dependencies.store.guards.remove(id);
  }

  async #renewAll(): Promise<void> {
    // A guard that is not heard of is not written down any more: its lease ends.
    for (const guard of this.#guards.values()) if (!this.#isLeased(guard)) this.#guards.delete(guard.id);
    if (this.#isRenewing || this.#guards.size === 0) return;
    this.#isRenewing = true;
    await this.#renew([...this.#guards.values()]).catch(() => undefined);
    this.#isRenewing = false;
  }

  #isLeased({ seenAt, lease }: FollowingGuard): boolean {
    return this.#dependencies.elapsed.since(seenAt) < lease;
  }

  /** It counts only once a later look at the log has seen what was committed before it was written. */
  async #renew(guards: readonly FollowingGuard[]): Promise<void> {
    const heardOf = guards.map((guard) => ({ guard, seenAt: guard.seenAt }));
    await this.#write(guards);
    await this.#dependencies.confirm();
    for (const { guard, seenAt } of heardOf) guard.writtenAt = seenAt;
  }

  async #writeAwaited(): Promise<void> {
    this.#isWriting = true;
    while (this.#awaited.size > 0) {
      if (!this.#isComplete) await this.#gather();
      const guards = [...this.#awaited.values()];
      this.#awaited.clear();
      // What fails is written with the next leases.
      await this.#write(guards).catch(() => undefined);
    }
    this.#isWriting = false;
  }

  get #isComplete(): boolean {
    return this.#awaited.size >= this.#guards.size;
  }

  async #gather(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#endGathering = resolve;
      timer = setTimeout(resolve, gathering).unref();
    });
    clearTimeout(timer);
  }

  async #write(guards: readonly FollowingGuard[]): Promise<void> {
    const { store, node, clock, elapsed } = this.#dependencies;
    const now = clock().getTime();
    const written = store.guards.renew(
      guards.map(({ id, lease, seenAt, acknowledged }) => ({
        id,
        node,
        acknowledged,
        leaseUntil: new Date(now - elapsed.since(seenAt) + lease + slack + clockMargin),
      })),
    );
    this.#writes.add(written);
    await written.finally(() => this.#writes.delete(written));
  }
}
