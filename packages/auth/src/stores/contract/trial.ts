import { deepEqual } from 'node:assert/strict';
import type { Store } from '../store.ts';

/** What one check works with. */
export interface Trial {
  /** A store on a database that has nothing in it but what its migration put there. */
  readonly store: Store;
  /** Opens the same database once more; what it opens is closed after the check. */
  readonly reopen: () => Store;
}

/** Checks by what they hold, as sentences about a store. */
export type Checks = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

/** Compares the members that are expected, and no others. */
export function holds<Found extends object>(found: Found | undefined, expected: Partial<Found>): void {
  const members = new Set(Object.keys(expected));
  const part = found && Object.fromEntries(Object.entries(found).filter(([name]) => members.has(name)));
  // A member that is undefined may be absent.
  const wanted = Object.entries(expected).filter(([name, value]) => value !== undefined || name in (found ?? {}));
  deepEqual(part, Object.fromEntries(wanted));
}

/** Does something so many times at once. */
export function atOnce<Result>(times: number, work: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => work(index)));
}

/** The whole numbers from one to another. */
export function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
