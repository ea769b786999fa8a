import type { AccessTokenClaims } from '@sallyport/jwt';
import { type Change, type ChangeKind, changeKinds } from './change.ts';
import type { ChangeIndex } from './change-index.ts';
import { ChangeTable } from './change-table.ts';
import { HalfSipHash } from './half-sip-hash.ts';
import { PackedTable } from './packed-table.ts';

/** The kinds there may be a million of. They carry no data, so a sequence says all. */
const packedKinds: readonly number[] = [changeKinds.sessionDead, changeKinds.userFloor, changeKinds.tokenDead];
/** The other kinds that end tokens. There are few of them. */
const floors: readonly number[] = [changeKinds.organisationFloor, changeKinds.clientFloor, changeKinds.globalFloor];
/** No change is of it, so what is hashed under it is never found. */
const noKind = 0;
const kindCount = Math.max(...Object.values(changeKinds)) + 1;
const latestExpiry = 2 ** 32 - 1;
/** Of 256 segments, so that what has expired is gone after a minute of sweeps once a second. */
const segmentsPerSweep = 5;

/** The hashes of the names in a token that packed changes may concern. */
interface HashedNames {
  readonly sessionLow: number;
  readonly sessionHigh: number;
  readonly userLow: number;
  readonly userHigh: number;
  readonly tokenLow: number;
  readonly tokenHigh: number;
}

/** A token that was looked at, by claims, which are the same object for as long as a verifier remembers the token. */
interface SeenToken {
  /** Absent as long as only one of them had to be hashed. */
  names: HashedNames | undefined;
  /** No change after this place, up to the next one, has ended it. */
  clearFrom: number;
  clearUpTo: number;
}

/** The newest change of each kind and key, in a few bytes each where there may be many. */
export class PackedChanges implements ChangeIndex {
  /** The key of the hash, in hexadecimal digits. */
  readonly hashKey: string;
  readonly #hash: HalfSipHash;
  readonly #packed: PackedTable;
  readonly #others = new ChangeTable();
  #seen = new WeakMap<AccessTokenClaims, SeenToken>();
  #hasSeen = false;
  /** The newest change of all. */
  #newestOfAll = 0;
  /** The newest change of each kind, whatever its key. */
  readonly #newest: number[] = Array.from({ length: kindCount }, () => 0);
  /** The newest of {@link floors}. */
  #newestFloor = 0;
  /** The newest of which only the hash of its name is known. */
  #newestHashed = 0;

  /** `expected` is how many packed changes are about to be taken in. */
  constructor(hashKey: string, expected = 0) {
    this.hashKey = hashKey;
    this.#packed = new PackedTable(expected);
    this.#hash = new HalfSipHash(Buffer.from(hashKey, 'hex'));
  }

  get size(): number {
    return this.#packed.size + this.#others.size;
  }

  apply(change: Change): void {
    const { kind, key, sequence, expiresAt } = change;
    if (packedKinds.includes(kind)) {
      this.#hash.digest(kind, key);
      this.#packed.set(this.#hash.low, this.#hash.high, sequence, packExpiry(expiresAt));
    } else {
      this.#others.apply(change);
    }
    this.#note(kind, sequence);
  }

  /** Takes in a change as snapshots hold it: its key hashed already, its kind unknown, an expiry of 0 for never. */
  applyHashed(low: number, high: number, sequence: number, expiresAt: number): void {
    this.#packed.set(low, high, sequence, expiresAt);
    this.#newestHashed = Math.max(this.#newestHashed, sequence);
    this.#placeInOrder(sequence);
  }

  ends(claims: AccessTokenClaims, position: number): boolean {
    // What was found clear once is looked at again for what came since, and mostly nothing has.
    const seen = this.#seen.get(claims);
    const isClear = seen !== undefined && seen.clearFrom <= position;
    const after = isClear ? Math.max(position, seen.clearUpTo) : position;
    if (after >= this.#newestOfAll) return false;
    const token = seen ?? this.#see(claims);
    if (this.#isEnded(claims, token, after)) return true;
    if (!isClear) token.clearFrom = position;
    token.clearUpTo = this.#newestOfAll;
    return false;
  }

  hasAfter(kind: ChangeKind, key: string, position: number): boolean {
    const isPacked = packedKinds.includes(kind);
    if (!this.#hasAnyAfter(kind, position) && !(isPacked && this.#newestHashed > position)) return false;
    if (!isPacked) return this.#others.hasAfter(kind, key, position);
    this.#hash.digest(kind, key);
    return this.#packed.get(this.#hash.low, this.#hash.high) > position;
  }

  find(kind: ChangeKind, key: string): Change | undefined {
    return this.#others.find(kind, key);
  }

  findUnsupported(): Change | undefined {
    return this.#others.findUnsupported();
  }

  absorb(index: ChangeIndex): boolean {
    if (!(index instanceof PackedChanges) || index.hashKey !== this.hashKey) return false;
    this.#packed.absorb(index.#packed);
    this.#others.absorb(index.#others);
    this.#newestHashed = Math.max(this.#newestHashed, index.#newestHashed);
    this.#newestOfAll = Math.max(this.#newestOfAll, index.#newestOfAll);
    for (const [kind, sequence] of index.#newest.entries()) this.#note(kind, sequence);
    this.#forgetSeen();
    return true;
  }

  sweep(before: number): void {
    this.#packed.sweep(before, segmentsPerSweep);
    this.#others.sweep(before);
  }

  /** Tells whether any change of a kind came after a position: a token that is newer need not be looked for. */
  #hasAnyAfter(kind: number, position: number): boolean {
    return (this.#newest[kind] ?? 0) > position;
  }

  #isEnded(claims: AccessTokenClaims, token: SeenToken, after: number): boolean {
    const { sessionDead, userFloor, tokenDead } = changeKinds;
    const isOneOfSeveral =
      this.#newestHashed > after || this.#hasAnyAfter(userFloor, after) || this.#hasAnyAfter(tokenDead, after);
    // Mostly only sessions have ended since, and one hash is quicker than three.
    const isEnded = isOneOfSeveral
      ? this.#hasNameAfter(claims, token, after)
      : claims.sid !== undefined && this.hasAfter(sessionDead, claims.sid, after);
    return isEnded || (this.#newestFloor > after && this.#others.ends(claims, after));
  }

  #hasNameAfter(claims: AccessTokenClaims, token: SeenToken, position: number): boolean {
    const names = (token.names ??= this.#hashNames(claims));
    return (
      this.#packed.get(names.sessionLow, names.sessionHigh) > position ||
      this.#packed.get(names.userLow, names.userHigh) > position ||
      this.#packed.get(names.tokenLow, names.tokenHigh) > position
    );
  }

  #hashNames(claims: AccessTokenClaims): HashedNames {
    const [sessionLow, sessionHigh] = this.#digest(changeKinds.sessionDead, claims.sid);
    const [userLow, userHigh] = this.#digest(changeKinds.userFloor, claims.sub);
    const [tokenLow, tokenHigh] = this.#digest(changeKinds.tokenDead, claims.jti);
    return { sessionLow, sessionHigh, userLow, userHigh, tokenLow, tokenHigh };
  }

  #see(claims: AccessTokenClaims): SeenToken {
    const token = { names: undefined, clearFrom: Number.POSITIVE_INFINITY, clearUpTo: 0 };
    this.#seen.set(claims, token);
    this.#hasSeen = true;
    return token;
  }

  #digest(kind: ChangeKind, name: string | undefined): readonly [low: number, high: number] {
    if (name === undefined) this.#hash.digest(noKind, '');
    else this.#hash.digest(kind, name);
    return [this.#hash.low, this.#hash.high];
  }

  #note(kind: number, sequence: number): void {
    if (kind < kindCount && sequence > (this.#newest[kind] ?? 0)) this.#newest[kind] = sequence;
    if (floors.includes(kind)) this.#newestFloor = Math.max(this.#newestFloor, sequence);
    this.#placeInOrder(sequence);
  }

  /** A change that comes after newer ones may end what was found clear up to those. */
  #placeInOrder(sequence: number): void {
    if (sequence > this.#newestOfAll) this.#newestOfAll = sequence;
    else this.#forgetSeen();
  }

  #forgetSeen(): void {
    if (!this.#hasSeen) return;
    this.#seen = new WeakMap();
    this.#hasSeen = false;
  }
}

function packExpiry(expiresAt: number | undefined): number {
  return expiresAt === undefined || expiresAt > latestExpiry ? 0 : Math.max(1, Math.ceil(expiresAt));
}
