import { changeKinds, type Change } from '../changes/change.ts';
import type { Store } from '../stores/store.ts';
import { halfSipHash } from './half-sip-hash.ts';

/** Kinds of which there may be very many: they are kept as a hash of what they concern. */
const packedKinds: ReadonlySet<number> = new Set([
  changeKinds.sessionDead,
  changeKinds.userFloor,
  changeKinds.tokenDead,
]);

/** How many entries stand in one block, and how many words each takes. */
const blockSize = 16_384;
export const wordsPerEntry = 4;

/** How many rows are read at once: few enough that nothing else waits for long. */
const pageSize = 1_000;

/** Where each word of a packed entry stands. */
export const wordOffsets = { low: 0, high: 1, sequence: 2, expiresAt: 3 } as const;

/** Entries that came one after the other, and so expire at about the same time: dropped as a whole. */
export interface EntryBlock {
  /** Of each entry: the hash, the lower half of its sequence, when it expires (0: never). */
  readonly words: Uint32Array;
  count: number;
  latestExpiry: number;
}

/** Everything in the log that still concerns some token, small enough to be held in memory. */
export class LiveEntries {
  readonly #hashKey: Uint8Array;
  readonly #others = new Map<string, Change>();
  #blocks: EntryBlock[] = [];

  constructor(hashKey: Uint8Array) {
    this.#hashKey = hashKey;
  }

  get blocks(): readonly EntryBlock[] {
    return this.#blocks;
  }

  /** What is not packed: the newest about each thing, in order. */
  get others(): readonly Change[] {
    return [...this.#others.values()].toSorted((one, other) => one.sequence - other.sequence);
  }

  add(change: Change): void {
    if (packedKinds.has(change.kind)) this.#pack(change);
    else this.#keepNewest(change);
  }

  /** Forgets what has expired before a moment, in seconds since 1970. */
  sweep(before: number): void {
    this.#blocks = this.#blocks.filter(({ latestExpiry }) => latestExpiry >= before);
    for (const [name, { expiresAt }] of this.#others) {
      if (expiresAt !== undefined && expiresAt < before) this.#others.delete(name);
    }
  }

  /** Reads what is alive from the log, up to a place, while whatever comes after it may be added already. */
  async load(changes: Store['changes'], upTo: number, now: number): Promise<void> {
    for (let after = 0, isMore = true; isMore;) {
      const page = await changes.readLasting(after, upTo, pageSize);
      for (const change of page) this.add(change);
      after = page.at(-1)?.sequence ?? upTo;
      isMore = page.length === pageSize;
    }
    for (let after = { expiresAt: now, sequence: 0 }, isMore = true; isMore;) {
      const page = await changes.readExpiring(after, upTo, pageSize);
      for (const change of page) this.add(change);
      const { expiresAt = now, sequence = 0 } = page.at(-1) ?? {};
      after = { expiresAt, sequence };
      isMore = page.length === pageSize;
    }
  }

  #pack({ kind, key, sequence, expiresAt }: Change): void {
    const block = this.#roomyBlock();
    const { low, high } = halfSipHash(this.#hashKey, hashedBytes(kind, key));
    const offset = block.count * wordsPerEntry;
    block.words[offset + wordOffsets.low] = low;
    block.words[offset + wordOffsets.high] = high;
    // The upper half follows from the head, as long as that is not four billion entries away.
    block.words[offset + wordOffsets.sequence] = sequence;
    block.words[offset + wordOffsets.expiresAt] = toWord(expiresAt);
    block.count += 1;
    block.latestExpiry = Math.max(block.latestExpiry, expiresAt ?? Infinity);
  }

  #roomyBlock(): EntryBlock {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.count < blockSize) return last;
    const block = { words: new Uint32Array(blockSize * wordsPerEntry), count: 0, latestExpiry: 0 };
    this.#blocks.push(block);
    return block;
  }

  #keepNewest(change: Change): void {
    const name = `${String(change.kind)} ${change.key}`;
    const known = this.#others.get(name);
    if (known === undefined || known.sequence < change.sequence) this.#others.set(name, change);
  }
}

function hashedBytes(kind: number, key: string): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(key));
  bytes[0] = kind;
  bytes.write(key, 1);
  return bytes;
}

/** A moment that no word holds is beyond every token that is still to expire: never. */
function toWord(expiresAt = 0): number {
  return expiresAt > 0xffff_ffff ? 0 : expiresAt;
}
