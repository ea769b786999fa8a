import type { AccessTokenClaims, VerifiedJwt } from '@sallyport/jwt';
import { liveRights, type Rights } from '../rights.ts';
import { type Change, changeKinds } from './change.ts';
import type { ChangeIndex } from './change-index.ts';
import { RightsMemory } from './rights-memory.ts';

/** The token as a replica sees it: verified, its claims still unjudged. */
export type AccessToken = VerifiedJwt<AccessTokenClaims>;

/** Why a token that was verified is refused all the same. */
export type Revocation = 'token_revoked' | 'token_invalid';

/** What earlier incarnations of the log had said, for the tokens issued while one of them was the truth. */
interface FormerHistories {
  readonly indexes: readonly ChangeIndex[];
  /** When the latest of them was found to be over, in epoch seconds. */
  readonly until: number;
  /** Places from this one on were in a former history too: until then the log that took its place had not come so far. */
  readonly lostFrom: number;
}

/** Places the log had not reached at some moment, although tokens name them. */
interface LostPlaces {
  readonly from: number;
  /** Epoch seconds. */
  readonly until: number;
}

/**
 * What is known of the change log, and what it says about a token.
 *
 * Pure but for its memory: who reads the log, and how current that is, is the business of others.
 */
export class Knowledge {
  readonly #onKeysDead: () => void;
  readonly #rights = new RightsMemory();
  #index: ChangeIndex;
  #head: number;
  #former: FormerHistories | undefined;
  #unsupported: string | undefined;
  #lost: LostPlaces | undefined;

  /** `onKeysDead` is called when a signing key has died, or may have. */
  constructor(index: ChangeIndex, head: number, onKeysDead: () => void = () => undefined) {
    this.#index = index;
    this.#head = head;
    this.#onKeysDead = onKeysDead;
    this.#unsupported = complaintAbout(index);
  }

  /** The last sequence that is known. */
  get head(): number {
    return this.#head;
  }

  /** How many changes are held, those of former histories included. */
  get size(): number {
    return [this.#index, ...this.#formerIndexes()].reduce((size, index) => size + index.size, 0);
  }

  /** Why nothing may be granted: a critical change of a kind this version does not know. */
  get unsupported(): string | undefined {
    return this.#unsupported;
  }

  /** Takes a change in. */
  apply(change: Change): void {
    this.#index.apply(change);
    if (change.critical) this.#unsupported ??= complaintAbout(this.#index);
    if (change.kind === changeKinds.roleDefinition) this.#rights.clear();
    if (change.kind === changeKinds.keyDead) this.#onKeysDead();
  }

  /** Everything up to this sequence has been taken in. */
  advance(head: number): void {
    this.#head = head;
  }

  /** Goes on with another index of the same history. */
  replace(index: ChangeIndex, head: number): void {
    this.#index = index;
    this.#head = head;
    this.#lookAgain();
    this.#onKeysDead();
  }

  /**
   * Goes on with another history.
   *
   * A restored log forgets revocations. Whoever saw them does not, as long as the tokens they hit may live.
   */
  startOver(index: ChangeIndex, head: number, now: number): void {
    // A log that was recovered goes on beyond every place of the lost one. In a shorter one the same places come again.
    const lostFrom = head > this.#head ? Number.POSITIVE_INFINITY : head + 1;
    this.#former = { indexes: merge(this.#index, this.#formerIndexes()), until: now, lostFrom };
    this.#lost = undefined;
    this.replace(index, head);
  }

  /** Places from this one on are of a history that was lost: the log had not come so far at that moment (epoch seconds). */
  loseFrom(position: number, until: number): void {
    this.#lost = { from: position, until };
  }

  /** Tells whether a signing key is dead, whatever it signed and when. */
  isKeyDead(keyId: string): boolean {
    const { keyDead } = changeKinds;
    if (this.#index.hasAfter(keyDead, keyId, 0)) return true;
    return this.#former !== undefined && this.#former.indexes.some((index) => index.hasAfter(keyDead, keyId, 0));
  }

  /** Tells whether a token was made after everything that is known, in the history that is known. */
  isAheadOf(claims: AccessTokenClaims): boolean {
    return this.#positionOf(claims) > this.#head;
  }

  /** What the log says against a token, if anything. */
  findRevocation({ header, claims }: AccessToken): Revocation | undefined {
    // Whoever holds a dead key can write any `af` and `iat`, so neither is asked here.
    if (header.kid !== undefined && this.isKeyDead(header.kid)) return 'token_invalid';
    if (this.#index.ends(claims, this.#positionOf(claims))) return 'token_revoked';
    const former = this.#formerOf(claims);
    if (former === undefined) return undefined;
    return former.some((index) => index.ends(claims, statedPosition(claims))) ? 'token_revoked' : undefined;
  }

  /** The rights a token's owner has now. */
  rightsOf(claims: AccessTokenClaims): Rights {
    const names = this.#currentRoles(claims) ?? claims.roles ?? [];
    // Only a token issued for less than its owner may do has rights of its own.
    if (claims['limited'] === true) return this.#workOut(claims, names);
    return this.#rights.recall(names) ?? this.#rights.remember(names, this.#workOut(claims, names));
  }

  /** Drops what expired before a moment (epoch seconds). */
  sweep(before: number): void {
    for (const index of [this.#index, ...this.#formerIndexes()]) index.sweep(before);
    if (this.#former?.indexes.every(({ size }) => size === 0) === true) this.#former = undefined;
    if (this.#unsupported !== undefined) this.#lookAgain();
  }

  #workOut(claims: AccessTokenClaims, currentRoles: readonly string[]): Rights {
    return liveRights(claims, {
      currentRoles,
      scopesOf: (role) => {
        const definition = this.#index.find(changeKinds.roleDefinition, role);
        return definition && definition.data !== null ? namesIn(definition.data, 'scopes') : undefined;
      },
    });
  }

  /** The roles of a user that changed after the token was issued. */
  #currentRoles(claims: AccessTokenClaims): readonly string[] | undefined {
    const { userOverride } = changeKinds;
    if (this.#index.hasAfter(userOverride, claims.sub, this.#positionOf(claims))) {
      return namesIn(this.#index.find(userOverride, claims.sub)?.data, 'roles');
    }
    const former = this.#formerOf(claims)?.find((index) =>
      index.hasAfter(userOverride, claims.sub, statedPosition(claims)),
    );
    return former && namesIn(former.find(userOverride, claims.sub)?.data, 'roles');
  }

  #lookAgain(): void {
    this.#rights.clear();
    this.#unsupported = undefined;
    for (const index of [this.#index, ...this.#formerIndexes()]) this.#unsupported ??= complaintAbout(index);
  }

  #formerIndexes(): readonly ChangeIndex[] {
    return this.#former?.indexes ?? [];
  }

  #formerOf(claims: AccessTokenClaims): readonly ChangeIndex[] | undefined {
    return this.#former !== undefined && isOf(this.#former, claims) ? this.#former.indexes : undefined;
  }

  /** Where in the log a token was issued. A place the log has not reached belongs to a history that was lost: 0. */
  #positionOf(claims: AccessTokenClaims): number {
    const position = statedPosition(claims);
    if (this.#lost !== undefined && position >= this.#lost.from && isOf(this.#lost, claims)) return 0;
    return this.#former !== undefined && position >= this.#former.lostFrom && isOf(this.#former, claims) ? 0 : position;
  }
}

function complaintAbout(index: ChangeIndex): string | undefined {
  const change = index.findUnsupported();
  return (
    change &&
    `Change ${String(change.sequence)} is of kind ${String(change.kind)}, which this version does not know: upgrade @sallyport/guard`
  );
}

/** Whether a token may have been issued before a history was found to be over. */
function isOf({ until }: { readonly until: number }, { iat }: AccessTokenClaims): boolean {
  return iat === undefined || iat <= until;
}

/** A token that does not say where in the log it was issued is older than every change. */
function statedPosition({ af }: AccessTokenClaims): number {
  return af ?? 0;
}

/** As few indexes as can hold everything: there is one more for each restore only where their forms differ. */
function merge(latest: ChangeIndex, former: readonly ChangeIndex[]): readonly ChangeIndex[] {
  return [latest, ...former.filter((index) => !latest.absorb(index))];
}

/** The list of names under `member`. Anything unreadable names nothing, and so grants nothing. */
function namesIn(data: unknown, member: string): readonly string[] {
  if (typeof data !== 'object' || data === null) return [];
  const list: unknown = Object.hasOwn(data, member) ? Reflect.get(data, member) : undefined;
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
}
