import type { Change, ChangeBatch, LogPosition } from '../changes/change.ts';
import { steadyTime } from '../ports.ts';
import type { Store } from '../stores/store.ts';
import type { ElapsedTime, Instant } from './elapsed.ts';
import { SerialReads } from '../serial-reads.ts';
import { EntryRing } from './entry-ring.ts';

/** How often the head is looked at even if nobody calls, in milliseconds. */
const pollInterval = 250;

/**
 * How long after a look the next one may begin that an announcement asks for, in milliseconds, and how many times as long
 * as the look took. Under load one look, and one piece for each guard, then serve several entries, the more the busier
 * database and process are; a lone entry waits for nothing. Where somebody waits for the guards, each piece costs an
 * acknowledgement of every guard besides: `leastAwaited` instead of `least`.
 */
const gathering = { least: 2, leastAwaited: 4, most: 25, ofLook: 1 };

/** How many of the latest entries are kept in memory; who is further behind starts over with a snapshot. */
const ringCapacity = 65_536;

/** How many entries are read at once: few enough that nothing else waits for long. */
const pageSize = 1_000;

/** Why the log went on from another place than the one it was at. */
export type Restart =
  /** The lineage has another name: somebody ran `recover`. */
  | 'recovered'
  /** It is shorter than it was: a backup was restored, or a failover lost commits. */
  | 'shortened'
  /** Entries were missing. */
  | 'incomplete';

/** What a tail tells those who listen. */
export interface TailListener {
  readonly onEntries?: (changes: readonly Change[]) => void;
  /** What was read so far does not go on: begin anew. */
  readonly onRestart?: () => void;
  /** The database has said where its log ends, and everything up to there has been told. */
  readonly onConfirm?: (position: LogPosition) => void;
}

/** What a tail works with. */
export interface TailDependencies {
  readonly store: Pick<Store, 'changes' | 'watch'>;
  readonly elapsed: ElapsedTime;
  readonly onRestart: (restart: Restart, from: LogPosition, to: LogPosition) => void;
}

/**
 * Follows the change log for everybody in this process: one reader, however many guards there are. It knows how long ago it
 * last asked the database for the head; while that is away, it only grows older.
 */
export class FeedTail {
  readonly #dependencies: TailDependencies;
  readonly #listeners = new Set<TailListener>();
  readonly #reading = new SerialReads(() => this.#read());
  #ring = new EntryRing(ringCapacity, 0);
  #position: LogPosition | undefined;
  #confirmedAt: Instant | undefined;
  #poll: NodeJS.Timeout | undefined;
  #mayLookAt = Number.NEGATIVE_INFINITY;
  /** Whether somebody waits for the guards to know of what was read last. */
  #isAwaited = false;
  #nextLook: NodeJS.Timeout | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(dependencies: TailDependencies) {
    this.#dependencies = dependencies;
  }

  /** Reads where the log is, and follows it from there. @throws {AuthError} `store_unavailable` */
  async start(): Promise<void> {
    await this.confirm();
    this.#stopWatching ??= this.#dependencies.store.watch(() => this.#lookSoon());
    this.#poll ??= setInterval(() => void this.confirm().catch(() => undefined), pollInterval).unref();
  }

  stop(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#nextLook);
    this.#stopWatching?.();
    this.#listeners.clear();
  }

  listen(listener: TailListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Where the log is, as far as this process has read it. */
  get position(): LogPosition {
    if (this.#position === undefined) throw new Error('the tail has not been started');
    return this.#position;
  }

  /** When the database was last asked where its log ends, and said so. */
  get confirmedAt(): Instant {
    if (this.#confirmedAt === undefined) throw new Error('the tail has not been started');
    return this.#confirmedAt;
  }

  /** Milliseconds since then. */
  get age(): number {
    return this.#dependencies.elapsed.since(this.confirmedAt);
  }

  /** Catches up by a read that begins after this call; several callers share one. @throws {AuthError} `store_unavailable` */
  confirm(): Promise<void> {
    return this.#reading.fresh();
  }

  /** The last entry that was read; 0 before the start. */
  get head(): number {
    return this.#ring.head;
  }

  /** Where the end of a session stands that somebody waits for, if it has been read lately, and after an entry. */
  placeOfEnd(sessionId: string, after: number): number | undefined {
    return this.#ring.placeOfEnd(sessionId, after);
  }

  /** Some of the entries after one; undefined when they are not kept, or too many. */
  async entriesAfter(sequence: number): Promise<readonly Change[] | undefined> {
    const { head } = this.position;
    if (head - sequence > ringCapacity) return undefined;
    const recent = this.#ring.after(sequence, pageSize);
    if (recent !== undefined) return recent;
    const kept = await this.#dependencies.store.changes.readBetween(sequence, head, pageSize);
    const isWhole = kept.length > 0 && kept.every((change, index) => change.sequence === sequence + index + 1);
    return isWhole ? kept : undefined;
  }

  #lookSoon(): void {
    const pause = this.#mayLookAt - steadyTime();
    if (pause <= 0) this.#look();
    else this.#nextLook ??= setTimeout(() => this.#look(), pause).unref();
  }

  #look(): void {
    clearTimeout(this.#nextLook);
    this.#nextLook = undefined;
    this.#paced().catch(() => undefined);
  }

  async #paced(): Promise<void> {
    const began = steadyTime();
    this.#mayLookAt = began + this.#leastPause;
    await this.confirm();
    const pause = gathering.ofLook * (steadyTime() - began);
    this.#mayLookAt = began + Math.min(gathering.most, Math.max(this.#leastPause, pause));
  }

  get #leastPause(): number {
    return this.#isAwaited ? gathering.leastAwaited : gathering.least;
  }

  async #read(): Promise<void> {
    const asked = this.#dependencies.elapsed.now();
    const { changes, ...position } = await this.#ask();
    const restart = this.#restartAt(position);
    if (restart !== undefined) this.#begin(position, restart);
    else if (!(await this.#catchUp(position, changes))) this.#begin(position, 'incomplete');
    this.#confirmedAt = asked;
    for (const { onConfirm } of this.#listeners) onConfirm?.(position);
  }

  /** Where the log is, and what comes next: one question, because everybody asks it all the time. */
  async #ask(): Promise<ChangeBatch> {
    const { changes } = this.#dependencies.store;
    if (this.#position === undefined) return { ...(await changes.position()), changes: [] };
    return changes.readSince(this.#position.head, pageSize);
  }

  #restartAt({ incarnation, head }: LogPosition): Restart | 'first' | undefined {
    if (this.#position === undefined) return 'first';
    if (incarnation !== this.#position.incarnation) return 'recovered';
    return head < this.#position.head ? 'shortened' : undefined;
  }

  #begin(position: LogPosition, restart: Restart | 'first'): void {
    const before = this.#position;
    this.#ring = new EntryRing(ringCapacity, position.head);
    this.#position = position;
    if (before === undefined || restart === 'first') return;
    this.#dependencies.onRestart(restart, before, position);
    for (const { onRestart } of this.#listeners) onRestart?.();
  }

  /** Reads on up to a position, from the first entries of that; false when something on the way is missing. */
  async #catchUp(position: LogPosition, first: readonly Change[]): Promise<boolean> {
    const ring = this.#ring;
    if (ring.head === position.head) this.#position = position;
    let changes = first;
    while (ring.head < position.head) {
      if (changes.length === 0 || !ring.push(changes)) return false;
      this.#position = { ...position, head: ring.head };
      this.#isAwaited = changes.some(({ acknowledge }) => acknowledge);
      for (const { onEntries } of this.#listeners) onEntries?.(changes);
      if (ring.head === position.head) break;
      changes = await this.#dependencies.store.changes.readBetween(ring.head, position.head, pageSize);
    }
    return true;
  }
}
