import { changeKinds, type Change } from '../changes/change.ts';

/** The latest entries of the log, without a gap, for those who have fallen a little behind. */
export class EntryRing {
  readonly #capacity: number;
  readonly #entries: (Change | undefined)[];
  /** Where the ends of sessions stand that somebody waits for, by the sessions' ids. */
  readonly #awaitedEnds = new Map<string, number>();
  #head: number;

  /** @param head the last entry before the first that will be here */
  constructor(capacity: number, head: number) {
    this.#capacity = capacity;
    this.#entries = Array.from({ length: capacity }, () => undefined);
    this.#head = head;
  }

  /** The last entry that has been added. */
  get head(): number {
    return this.#head;
  }

  /** Adds the entries that follow; false, and none of them, when they do not: one is missing. */
  push(changes: readonly Change[]): boolean {
    const follow = changes.every(({ sequence }, index) => sequence === this.#head + index + 1);
    if (!follow) return false;
    for (const change of changes) this.#put(change);
    this.#head += changes.length;
    return true;
  }

  /** Where, after an entry, the end of a session stands that somebody waits for; undefined when it is not here, or nobody does. */
  placeOfEnd(sessionId: string, after: number): number | undefined {
    const place = this.#awaitedEnds.get(sessionId);
    return place !== undefined && place > after ? place : undefined;
  }

  /** At most `limit` of the entries after one; undefined when they are not here any more. */
  after(sequence: number, limit: number): readonly Change[] | undefined {
    const found: Change[] = [];
    const end = Math.min(this.#head, sequence + limit);
    for (let next = sequence + 1; next <= end; next += 1) {
      const entry = this.#entries[next % this.#capacity];
      if (entry?.sequence !== next) return undefined;
      found.push(entry);
    }
    return found;
  }

  #put(change: Change): void {
    const slot = change.sequence % this.#capacity;
    const before = this.#entries[slot];
    if (before !== undefined && isAwaitedEnd(before)) this.#awaitedEnds.delete(before.key);
    if (isAwaitedEnd(change)) this.#awaitedEnds.set(change.key, change.sequence);
    this.#entries[slot] = change;
  }
}

const isAwaitedEnd = ({ kind, acknowledge }: Change): boolean => acknowledge && kind === changeKinds.sessionDead;
