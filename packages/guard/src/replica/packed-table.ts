/** A slot is four words: the two of the key, the sequence as its distance from the segment's base, the expiry. */
const wordsPerSlot = 4;
const segmentCount = 256;
const smallestCapacity = 8;
const largestWord = 2 ** 32 - 1;
/** The newest sequence lies this far from a base that had to move: there is room for older ones and for newer ones. */
const middle = 2 ** 31;

/** A part of the table, with a capacity and a base of its own. */
interface Segment {
  /** Never full, so that every search ends. */
  slots: Int32Array;
  used: number;
  base: number;
}

/**
 * The newest sequence of each of very many keys of 64 bits, without an object for any of them.
 *
 * Open addressing in 256 segments that grow, shrink and are swept one at a time, so that nothing takes longer than one
 * segment takes: with a million keys well below a millisecond. Keys must be spread evenly, as those of a keyed hash
 * are. Slots follow the order of the keys, so whoever fills the table in that order writes its memory from end to end.
 *
 * An expiry is in epoch seconds, 0 for never. The two words of a key are signed integers.
 */
export class PackedTable {
  readonly #segments: readonly Segment[];
  #size = 0;
  #sweptNext = 0;

  /** `expected` is how many keys are about to be taken in: memory for them is there from the start. */
  constructor(expected = 0) {
    const capacity = capacityFor(Math.ceil(expected / segmentCount));
    this.#segments = Array.from({ length: segmentCount }, () => emptySegment(capacity));
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#size;
  }

  /** The newest sequence of a key; 0: none. */
  get(low: number, high: number): number {
    const segment = this.#segmentOf(low);
    const { slots } = segment;
    const slot = findSlot(slots, low, stored(low, high));
    return isFree(slots, slot) ? 0 : segment.base + (word(slots, slot + 2) >>> 0);
  }

  /** Takes a sequence in. Of several for one key the newest counts, and the latest expiry. */
  set(low: number, high: number, sequence: number, expiresAt: number): void {
    const segment = this.#segmentOf(low);
    if (sequence - segment.base > largestWord) moveBase(segment, Math.max(0, sequence - middle));
    const before = segment.used;
    put(segment, low, stored(low, high), Math.max(0, sequence - segment.base), expiresAt);
    this.#size += segment.used - before;
  }

  /** Takes in everything another table holds. */
  absorb(table: PackedTable): void {
    for (const { slots, base } of table.#segments) {
      for (let slot = 0; slot < slots.length; slot += wordsPerSlot) {
        if (isFree(slots, slot)) continue;
        const sequence = base + (word(slots, slot + 2) >>> 0);
        this.set(word(slots, slot), word(slots, slot + 1), sequence, word(slots, slot + 3) >>> 0);
      }
    }
  }

  /** Drops what expired before a moment from so many segments; the next call goes on behind them. Returns whether it went round. */
  sweep(before: number, segments: number = segmentCount): void {
    for (let count = 0; count < segments; count += 1) {
      const segment = this.#segments[this.#sweptNext];
      this.#sweptNext = (this.#sweptNext + 1) % segmentCount;
      if (segment !== undefined) this.#size -= dropExpired(segment, before);
    }
  }

  #segmentOf(low: number): Segment {
    const segment = this.#segments[low >>> 24];
    if (segment === undefined) throw new RangeError('The table has a segment for every key');
    return segment;
  }
}

function emptySegment(capacity: number): Segment {
  return { slots: new Int32Array(capacity * wordsPerSlot), used: 0, base: 0 };
}

/** Two words of zeros mark a free slot, so the one key that looks like that is stored as its neighbour. */
function stored(low: number, high: number): number {
  return (low | high) === 0 ? 1 : high;
}

function word(slots: Int32Array, index: number): number {
  return slots[index] ?? 0;
}

function isFree(slots: Int32Array, slot: number): boolean {
  return (word(slots, slot) | word(slots, slot + 1)) === 0;
}

/** The slot of a key, or the free one where it belongs. */
function findSlot(slots: Int32Array, low: number, high: number): number {
  // The 8 highest bits of the key chose the segment; as many as the capacity has choose the slot.
  const unused = Math.clz32(slots.length / wordsPerSlot) + 1;
  let slot = ((low << 8) >>> unused) * wordsPerSlot;
  for (;;) {
    const slotLow = word(slots, slot);
    const slotHigh = word(slots, slot + 1);
    if ((slotLow === low && slotHigh === high) || (slotLow | slotHigh) === 0) return slot;
    slot += wordsPerSlot;
    if (slot === slots.length) slot = 0;
  }
}

function put(segment: Segment, low: number, high: number, distance: number, expiresAt: number): void {
  const { slots } = segment;
  const slot = findSlot(slots, low, high);
  if (!isFree(slots, slot)) {
    slots[slot + 2] = Math.max(word(slots, slot + 2) >>> 0, distance);
    slots[slot + 3] = later(word(slots, slot + 3) >>> 0, expiresAt);
    return;
  }
  const capacity = slots.length / wordsPerSlot;
  if (!fits(segment.used + 1, capacity)) {
    rebuild(segment, 2 * capacity);
    put(segment, low, high, distance, expiresAt);
    return;
  }
  slots[slot] = low;
  slots[slot + 1] = high;
  slots[slot + 2] = distance;
  slots[slot + 3] = expiresAt;
  segment.used += 1;
}

function later(one: number, other: number): number {
  return one === 0 || other === 0 ? 0 : Math.max(one, other);
}

/** Three quarters of the slots may be taken. */
function fits(keys: number, capacity: number): boolean {
  return keys * 4 <= capacity * 3;
}

/** The least capacity for so many keys. */
function capacityFor(keys: number): number {
  let capacity = smallestCapacity;
  while (!fits(keys, capacity)) capacity *= 2;
  return capacity;
}

/** Moves what has not expired before a moment into slots of another number. */
function rebuild(segment: Segment, capacity: number, before = 0): void {
  const { slots } = segment;
  segment.slots = new Int32Array(capacity * wordsPerSlot);
  segment.used = 0;
  for (let slot = 0; slot < slots.length; slot += wordsPerSlot) {
    if (isFree(slots, slot) || hasExpired(slots, slot, before)) continue;
    const distance = word(slots, slot + 2) >>> 0;
    put(segment, word(slots, slot), word(slots, slot + 1), distance, word(slots, slot + 3) >>> 0);
  }
}

function hasExpired(slots: Int32Array, slot: number, before: number): boolean {
  const expiresAt = word(slots, slot + 3) >>> 0;
  return expiresAt !== 0 && expiresAt < before;
}

/** Sweeps a segment and returns how many keys are gone. */
function dropExpired(segment: Segment, before: number): number {
  const { slots, used } = segment;
  let expired = 0;
  for (let slot = 0; slot < slots.length; slot += wordsPerSlot) {
    if (!isFree(slots, slot) && hasExpired(slots, slot, before)) expired += 1;
  }
  if (expired > 0) rebuild(segment, capacityFor(used - expired), before);
  return expired;
}

/**
 * Makes room for newer sequences. What is older than the new base counts as if it were as new as that: an entry
 * behind which more than two thousand million others came hits a little more than it must, and nothing less.
 */
function moveBase(segment: Segment, base: number): void {
  const { slots } = segment;
  for (let slot = 2; slot < slots.length; slot += wordsPerSlot) {
    slots[slot] = Math.max(0, segment.base + (word(slots, slot) >>> 0) - base);
  }
  segment.base = base;
}
