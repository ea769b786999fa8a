import type { AccessTokenClaims } from '@sallyport/jwt';
import { Knowledge } from '../knowledge.ts';
import type { PackedChanges } from '../packed-changes.ts';
import type { Clocks, Moment } from './clocks.ts';
import { FeedFault } from './fault.ts';
import { Lag } from './lag.ts';
import { Lease } from './lease.ts';
import type { FeedEntry, Greeting } from './messages.ts';

/** The one version of the protocol that is spoken here. */
const version = 1;
const milliseconds = 1000;
/** How long what has expired is kept, in seconds. */
const sweepMargin = 60;

/** How a snapshot came. */
export interface Arrival {
  /** When it was asked for. */
  readonly sent: Moment;
  /** How long before it was sent off the process had asked for the head, in milliseconds; undefined: nobody says. */
  readonly age: number | undefined;
}

/**
 * The log as far as it has been followed: what is known, up to where, and since when.
 *
 * Whatever does not fit what is known is a {@link FeedFault}, and nothing of it is believed.
 */
export class FollowedLog {
  readonly lease: Lease = new Lease();
  readonly lag: Lag = new Lag();
  readonly #clocks: Clocks;
  readonly #onKeysDead: () => void;
  #knowledge: Knowledge | undefined;
  #incarnation = '';
  #hashKey = '';
  /** The furthest head anybody told of. */
  #toldHead = 0;
  /** When the head was reached. */
  #headAt = 0;
  /** Until when expired changes may have been dropped, in epoch seconds. */
  #sweptUntil = 0;
  #needsSnapshot = true;
  #refusal: string | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(clocks: Clocks, onKeysDead: () => void) {
    this.#clocks = clocks;
    this.#onKeysDead = onKeysDead;
  }

  /** What is known, once anything is. */
  get knowledge(): Knowledge | undefined {
    return this.#knowledge;
  }

  get cursor(): string | undefined {
    return this.#knowledge && `${this.#incarnation}.${String(this.#knowledge.head)}`;
  }

  /** How many entries are known to be missing. */
  get missing(): number {
    return this.#knowledge === undefined ? 0 : Math.max(0, this.#toldHead - this.#knowledge.head);
  }

  /** Whether the position cannot be continued, so that everything must be taken anew. */
  get needsSnapshot(): boolean {
    return this.#needsSnapshot;
  }

  /** Why nothing may be granted although it is known; undefined: nothing stands against it. */
  get refusal(): string | undefined {
    return this.#refusal ?? this.#knowledge?.unsupported;
  }

  /** Whether nothing was dropped that matters at a moment (in milliseconds): a clock set back makes old tokens young. */
  isCompleteAt(wall: number): boolean {
    return wall / milliseconds >= this.#sweptUntil - sweepMargin;
  }

  /** The position cannot be continued. */
  requireSnapshot(): void {
    this.#needsSnapshot = true;
  }

  /**
   * Holds what a process says of itself against what is known.
   *
   * @throws {FeedFault} `unsupported`, `restored`, `resync`
   */
  greet(greeting: Greeting): void {
    this.#checkVersion(greeting);
    if (this.#knowledge === undefined) throw this.#reload('resync', 'Nothing is known yet');
    if (greeting.incarnation !== this.#incarnation) throw this.#reload('restored', 'The log is another one');
    if (greeting.hashKey !== this.#hashKey) throw this.#reload('resync', 'The key of the hash is another one');
    if (greeting.head < this.#knowledge.head) throw this.#reload('restored', 'The log is shorter than it was');
    this.#toldHead = greeting.head;
  }

  /**
   * Takes an entry in; false when it was known.
   *
   * @throws {FeedFault} `gap`
   */
  take(entry: FeedEntry): boolean {
    const head = this.#knowledge?.head ?? Number.NEGATIVE_INFINITY;
    if (entry.sequence <= head) return false;
    if (entry.sequence !== head + 1) throw this.#reload('gap', `Entries after ${String(head)} were lost`);
    this.#knowledge?.apply(entry);
    this.#reach(entry.sequence);
    return true;
  }

  /**
   * A process answered what was sent at a moment: by its head of `age` milliseconds before, is everything known?
   *
   * @throws {FeedFault} `restored`
   */
  confirm(sent: Moment, age: number, head: number): boolean {
    const known = this.#knowledge?.head ?? 0;
    this.#toldHead = head;
    if (head < known) throw this.#reload('restored', 'The log is shorter than it was');
    if (head > known) return false;
    this.lease.renew(sent, age);
    const lostFrom = this.lag.rule(head, sent.monotonic - age);
    if (lostFrom !== undefined) this.#knowledge?.loseFrom(lostFrom, this.#seconds());
    this.#wakeWaiting();
    return true;
  }

  /**
   * Takes a snapshot in, in place of what is known or, if the log was restored, beside it.
   *
   * @throws {FeedFault} `unsupported`, `outpaced`
   */
  load(snapshot: Greeting, index: PackedChanges, { sent, age }: Arrival): void {
    this.#checkVersion(snapshot);
    const { incarnation, head, hashKey } = snapshot;
    const isSame = incarnation === this.#incarnation;
    if (this.#knowledge === undefined) {
      this.#knowledge = new Knowledge(index, head, this.#onKeysDead);
    } else if (isSame && head >= this.#knowledge.head) {
      this.#knowledge.replace(index, head);
    } else {
      if (isSame) this.#refuseOutpaced(sent, age);
      this.#knowledge.startOver(index, head, this.#seconds());
    }
    [this.#incarnation, this.#hashKey, this.#needsSnapshot] = [incarnation, hashKey, false];
    this.#sweptUntil = 0;
    this.#toldHead = head;
    this.#reach(head);
  }

  /** A token was seen that was made after everything that is known; true when none was from so far beyond. */
  noteAhead(claims: AccessTokenClaims): boolean {
    return this.lag.note(claims, this.#clocks.monotonic());
  }

  /** Resolves when something was learnt about positions, or after so many milliseconds. */
  changed(patience: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, patience);
      this.#waiting.add(wake);
    });
  }

  /** Calls back whenever something was learnt about positions; answers how to end that. */
  onChange(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => void this.#waiting.delete(listener);
  }

  /** Drops a part of what has expired, and notices a clock that was set back. Call it about once a second. */
  sweep(): void {
    const now = this.#seconds();
    if (!this.isCompleteAt(now * milliseconds)) this.#needsSnapshot = true;
    if (this.#needsSnapshot) return;
    this.#knowledge?.sweep(now - sweepMargin);
    this.#sweptUntil = now;
  }

  #checkVersion({ version: highest, lowestVersion }: Greeting): void {
    const isSpoken = lowestVersion <= version && version <= highest;
    this.#refusal = isSpoken
      ? undefined
      : `The feed speaks versions ${String(lowestVersion)} to ${String(highest)}, this guard ${String(version)}: upgrade @sallyport/guard`;
    if (this.#refusal !== undefined) throw new FeedFault('unsupported', this.#refusal);
  }

  /** A shorter log was restored if its head was asked for after this one's was reached; else the process lags behind. */
  #refuseOutpaced(sent: Moment, age: number | undefined): void {
    if (age !== undefined && sent.monotonic - age > this.#headAt) return;
    this.#needsSnapshot = false;
    throw new FeedFault('outpaced', 'The process knows less of the log than this guard');
  }

  #reload(reason: 'resync' | 'restored' | 'gap', message: string): FeedFault {
    this.#needsSnapshot = true;
    return new FeedFault(reason, message);
  }

  #reach(head: number): void {
    this.#knowledge?.advance(head);
    this.#headAt = this.#clocks.monotonic();
    this.lag.settle(head);
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting) wake();
  }

  #seconds(): number {
    return this.#clocks.wall() / milliseconds;
  }
}
