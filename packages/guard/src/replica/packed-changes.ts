import { type Change, type ChangeKind, changeKinds } from './change.ts';
import type { ChangeIndex } from './change-index.ts';
import { ChangeTable } from './change-table.ts';
import { HalfSipHash } from './half-sip-hash.ts';
import { PackedTable } from './packed-table.ts';

/** The kinds there may be a million of. They carry no data, so a sequence says all. */
const packedKinds: readonly number[] = [changeKinds.sessionDead, changeKinds.userFloor, changeKinds.tokenDead];
const kindCount = Math.max(...Object.values(changeKinds)) + 1;
const latestExpiry = 2 ** 32 - 1;
/** Of 256 segments, so that what has expired is gone after a minute of sweeps once a second. */
const segmentsPerSweep = 5;

/** The newest change of each kind and key, in a few bytes each where there may be many. */
export class PackedChanges implements ChangeIndex {
  /** The key of the hash, in hexadecimal digits. */
  readonly hashKey: string;
  readonly #hash: HalfSipHash;
  readonly #packed = new PackedTable();
  readonly #others = new ChangeTable();
  /** The newest sequence of each kind, whatever its key: what came before a token need not be looked for. */
  readonly #newest: number[] = Array.from({ length: kindCount }, () => 0);

  constructor(hashKey: string) {
    this.hashKey = hashKey;
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

  /** Takes in a change as snapshots hold it: its key hashed already, its kind unknown. */
  applyHashed(low: number, high: number, sequence: number, expiresAt: number): void {
    this.#packed.set(low, high, sequence, expiresAt);
    for (const kind of packedKinds) this.#note(kind, sequence);
  }

  hasAfter(kind: ChangeKind, key: string, position: number): boolean {
    if ((this.#newest[kind] ?? 0) <= position) return false;
    if (!packedKinds.includes(kind)) return this.#others.hasAfter(kind, key, position);
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
    for (const [kind, sequence] of index.#newest.entries()) this.#note(kind, sequence);
    return true;
  }

  sweep(before: number): void {
    this.#packed.sweep(before, segmentsPerSweep);
    this.#others.sweep(before);
  }

  #note(kind: number, sequence: number): void {
    if (kind < kindCount && sequence > (this.#newest[kind] ?? 0)) this.#newest[kind] = sequence;
  }
}

function packExpiry(expiresAt: number | undefined): number {
  return expiresAt === undefined || expiresAt > latestExpiry ? 0 : Math.max(1, Math.ceil(expiresAt));
}
