import { setTimeout as delay } from 'node:timers/promises';
import { changeKinds, earliest, type ChangeSubject } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import { steadyTime, type Clock } from '../ports.ts';
import type { Store } from '../stores/store.ts';
import type { Feed } from './feed.ts';
import type { GuardProgress, PresentGuard } from './guard-store.ts';

/** How often it is looked in memory how far the guards have come, in milliseconds. */
const lookInterval = 2;

/**
 * How long after an answer of the database it is asked again, in milliseconds: twice as long each time while nobody could be
 * told anything. After the longest of these pauses it is asked even where guards that were heard of here seem to be behind,
 * since they may have gone elsewhere.
 */
const pauses = { least: 3, most: 50 };

/**
 * How long the end of a session may take to be read from the log by this process, which does so anyway where it has guards, in
 * milliseconds: then the database is asked for its place.
 */
const readingPatience = 25;

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
  readonly feed: Pick<Feed, 'placeHere' | 'placeOfEnd' | 'readUpTo'>;
}

type Counts = Omit<Confirmation, 'milliseconds'>;

interface Waiting {
  readonly change: ChangeSubject;
  /** The last entry that this process had read before the change was made. */
  readonly madeAfter: number;
  /** Before the change was made: whose lease ran out since then may have granted after it. */
  readonly begunAt: Date;
  /** When its place is looked up in the database at the latest, in milliseconds of `steadyTime`. */
  readonly lookUpAt: number;
  /** Its place in the log, once that is known. */
  sequence: number | undefined;
  /** Whether it has been waited for long enough, whatever guards know. */
  isOverdue: boolean;
  readonly resolve: (counts: Counts) => void;
  readonly reject: (error: unknown) => void;
}

/** Somebody whose change has been found in the log, or 0 where there was nothing to append. */
type Placed = Waiting & { readonly sequence: number };

/**
 * Waits until every guard knows something, or has stopped granting. It asks the database, where all processes write how far
 * their guards have come; one look serves everybody who waits. While guards that this very process speaks with are behind, it
 * asks less often.
 */
export class Confirmations {
  readonly #dependencies: ConfirmationDependencies;
  readonly #waiting = new Set<Waiting>();
  #isLooking = false;
  #isStopped = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #pause = pauses.least;

  constructor(dependencies: ConfirmationDependencies) {
    this.#dependencies = dependencies;
  }

  /** Does something that appends a change, and waits for the guards. */
  async of<Result>(
    change: ChangeSubject,
    work: () => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly confirmation: Confirmation }> {
    const { feed, clock } = this.#dependencies;
    const [began, begunAt, madeAfter] = [steadyTime(), clock(), feed.readUpTo];
    const result = await work();
    const counts = await this.#known({ change, madeAfter, begunAt });
    return { result, confirmation: { ...counts, milliseconds: Math.round(steadyTime() - began) } };
  }

  /** Nobody will look any more. */
  stop(): void {
    this.#isStopped = true;
    for (const { reject } of this.#waiting) reject(stopped());
    this.#waiting.clear();
  }

  #known(made: Pick<Waiting, 'change' | 'madeAfter' | 'begunAt'>): Promise<Counts> {
    if (this.#isStopped) return Promise.reject(stopped());
    let timer: NodeJS.Timeout | undefined;
    return new Promise<Counts>((resolve, reject) => {
      const lookUpAt = steadyTime() + readingPatience;
      const waiting = { ...made, lookUpAt, sequence: undefined, isOverdue: false, resolve, reject };
      if (this.#waiting.size === 0) this.#beginAsking();
      this.#waiting.add(waiting);
      timer = setTimeout(() => (waiting.isOverdue = true), longestWait);
      if (!this.#isLooking) void this.#look();
    }).finally(() => clearTimeout(timer));
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#waiting.size > 0) {
      await this.#settle().catch((error: unknown) => this.#giveUp(error));
      if (this.#waiting.size > 0) await delay(lookInterval);
    }
    this.#isLooking = false;
  }

  /** While the database is away, guards are waited for all the same: the change is made. */
  #giveUp(error: unknown): void {
    for (const waiting of this.#waiting) {
      if (waiting.isOverdue && this.#waiting.delete(waiting)) waiting.reject(error);
    }
  }

  #beginAsking(): void {
    this.#pause = pauses.least;
    this.#askedAt = steadyTime() - pauses.least;
  }

  async #settle(): Promise<void> {
    // Who comes while the database is asked may have committed after it looked.
    const placed = await this.#findPlaces([...this.#waiting]);
    const likely = this.#likelyOf(placed);
    if (likely.length === 0) return;
    this.#pause = Math.min(2 * this.#pause, pauses.most);
    try {
      if (await this.#ask(likely)) this.#pause = pauses.least;
    } finally {
      this.#askedAt = steadyTime();
    }
  }

  /** Says whether anybody could be told anything. */
  async #ask(likely: readonly Placed[]): Promise<boolean> {
    const { store, clock } = this.#dependencies;
    const now = clock();
    const since = likely.map(({ begunAt }) => begunAt).reduce(earliest, now);
    const progress = await store.guards.progress(since, now);
    const settled = likely.filter(isKnownUpTo(progress.lowest ?? Infinity));
    if (settled.length === 0) return false;
    const countFor = await this.#counting(settled, progress, since);
    for (const waiting of settled) {
      if (this.#waiting.delete(waiting)) waiting.resolve(countFor(waiting));
    }
    return true;
  }

  /** Those of whom it is worth asking the database now. */
  #likelyOf(placed: readonly Placed[]): readonly Placed[] {
    const passed = steadyTime() - this.#askedAt;
    if (passed >= pauses.most) return placed;
    return passed < this.#pause ? [] : placed.filter(isKnownUpTo(this.#dependencies.feed.placeHere));
  }

  /** Who is counted for each of them. Guards are asked for one by one only where they do not all count alike. */
  async #counting(
    settled: readonly Placed[],
    { guards, lapsed, lowest = Infinity }: GuardProgress,
    since: Date,
  ): Promise<(waiting: Placed) => Counts> {
    if (lapsed === 0 && settled.every(({ sequence }) => sequence <= lowest)) {
      return () => ({ acknowledged: guards, lapsed: 0, pending: 0 });
    }
    const { store, clock } = this.#dependencies;
    const leased = await store.guards.listLeased(since);
    const now = clock();
    return (waiting) => count(leased, waiting, now);
  }

  /** Those who have a place; those whose place cannot be found hear of it. All are looked up together. */
  async #findPlaces(asking: readonly Waiting[]): Promise<readonly Placed[]> {
    for (const waiting of asking) waiting.sequence ??= this.#placeRead(waiting);
    const unplaced = asking.filter((waiting) => !isPlaced(waiting));
    if (unplaced.length > 0) await this.#lookUp(unplaced);
    return asking.filter(isPlaced);
  }

  /**
   * Where this process has read it since it was made. A session ends once, so that this is the entry that is waited for; one
   * from before may be of an end that the database has lost since.
   */
  #placeRead({ change: { kind, key }, madeAfter }: Waiting): number | undefined {
    return kind === changeKinds.sessionDead ? this.#dependencies.feed.placeOfEnd(key, madeAfter) : undefined;
  }

  /** Asks the database, but not yet for what this process is about to read itself. Without guards here it need not read. */
  async #lookUp(unplaced: readonly Waiting[]): Promise<void> {
    const now = steadyTime();
    const isReading = this.#dependencies.feed.placeHere < Infinity;
    const due = unplaced.filter(
      ({ change, lookUpAt }) => !isReading || change.kind !== changeKinds.sessionDead || now >= lookUpAt,
    );
    await Promise.all(due.map((waiting) => this.#findPlace(waiting)));
  }

  async #findPlace(waiting: Waiting): Promise<void> {
    const { kind, key } = waiting.change;
    try {
      waiting.sequence = (await this.#dependencies.store.changes.find(kind, key))?.sequence ?? 0;
    } catch (error) {
      if (this.#waiting.delete(waiting)) waiting.reject(error);
    }
  }
}

/** Whether somebody need not wait any more when all guards know the log up to a place. */
function isKnownUpTo(place: number): (waiting: Placed) => boolean {
  return ({ sequence, isOverdue }) => sequence <= place || isOverdue;
}

function isPlaced(waiting: Waiting): waiting is Placed {
  return waiting.sequence !== undefined;
}

function stopped(): AuthError {
  return new AuthError('store_unavailable', 'stopped while waiting for guards', { retryAfter: 1 });
}

/** Of the guards that could have granted since the change was begun. */
function count(guards: readonly PresentGuard[], { sequence, begunAt }: Placed, now: Date): Counts {
  // A clock that was set back meanwhile spares nobody.
  const since = earliest(begunAt, now);
  const concerned = guards.filter(({ leaseUntil }) => leaseUntil > since);
  const behind = concerned.filter(({ acknowledged }) => acknowledged < sequence);
  const lapsed = behind.filter(({ leaseUntil }) => leaseUntil <= now).length;
  return { acknowledged: concerned.length - behind.length, lapsed, pending: behind.length - lapsed };
}
