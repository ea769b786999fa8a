import type { AccessTokenClaims } from '@sallyport/jwt';
import type { Change, ChangeKind } from './change.ts';

/** What a replica keeps changes in: the newest of each kind and key. */
export interface ChangeIndex {
  /** How many changes it holds. */
  readonly size: number;
  /** Takes a change in, in any order and any number of times. */
  apply(change: Change): void;
  /** Tells whether a change after a position in the log ends the token of these claims. */
  ends(claims: AccessTokenClaims, position: number): boolean;
  /** Tells whether a change of this kind and key came after a position in the log. */
  hasAfter(kind: ChangeKind, key: string, position: number): boolean;
  /** The newest change of this kind and key. Only kinds that carry data are found. */
  find(kind: ChangeKind, key: string): Change | undefined;
  /** A critical change of a kind this version does not know, if there is one. */
  findUnsupported(): Change | undefined;
  /** Takes in every change of another index; false when the other is of a form that cannot be read. */
  absorb(index: ChangeIndex): boolean;
  /** Drops changes that expired before a moment (epoch seconds): all of them, or a part at each call. */
  sweep(before: number): void;
}
