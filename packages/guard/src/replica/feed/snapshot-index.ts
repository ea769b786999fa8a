import { endianness } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { PackedChanges } from '../packed-changes.ts';
import type { Snapshot } from './snapshot.ts';

const wordsPerEntry = 4;
const wordBytes = 4;
/** Words that are handled at once, 16,384 entries, so that requests come in between. */
const slice = 65_536;
const buckets = 256;
/** How far the bucket of a key, its highest byte, lies above the lowest one. */
const bucketShift = 24;

/** Loads a snapshot into an index of its own, a little at a time. */
export async function indexOf({ hashKey, head, packed, entries }: Snapshot): Promise<PackedChanges> {
  const words = await inOrder(wordsOf(packed));
  const changes = new PackedChanges(hashKey, words.length / wordsPerEntry);
  for (let start = 0; start < words.length; start += slice) {
    load(changes, head, words.subarray(start, start + slice));
    await setImmediate();
  }
  for (const entry of entries) changes.apply(entry);
  return changes;
}

function load(changes: PackedChanges, head: number, words: Int32Array): void {
  for (let at = 0; at < words.length; at += wordsPerEntry) {
    const sequence = Math.max(1, head - (word(words, at + 2) >>> 0));
    changes.applyHashed(word(words, at), word(words, at + 1), sequence, word(words, at + 3) >>> 0);
  }
}

function word(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}

/** Packed entries as words of this machine. */
function wordsOf(packed: Buffer): Int32Array {
  const bytes = endianness() === 'LE' && packed.byteOffset % wordBytes === 0 ? packed : Buffer.from(packed);
  if (endianness() === 'BE') bytes.swap32();
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / wordBytes);
}

/**
 * Puts entries in the order of their bucket, which is that of the segments of a packed table: filling one segment after
 * the other takes a fraction of the time of filling all at once, for one fits into the processor's cache.
 */
async function inOrder(words: Int32Array): Promise<Int32Array> {
  const ordered = new Int32Array(words.length);
  const next = bucketStarts(words);
  for (let start = 0; start < words.length; start += slice) {
    distribute(words.subarray(start, start + slice), ordered, next);
    await setImmediate();
  }
  return ordered;
}

/** Where in a list of words the entries of each bucket begin. */
function bucketStarts(words: Int32Array): Int32Array {
  const starts = new Int32Array(buckets + 1);
  for (let at = 0; at < words.length; at += wordsPerEntry) {
    const following = (word(words, at) >>> bucketShift) + 1;
    starts[following] = word(starts, following) + wordsPerEntry;
  }
  for (let bucket = 1; bucket <= buckets; bucket += 1) {
    starts[bucket] = word(starts, bucket) + word(starts, bucket - 1);
  }
  return starts;
}

function distribute(words: Int32Array, ordered: Int32Array, next: Int32Array): void {
  for (let at = 0; at < words.length; at += wordsPerEntry) {
    const bucket = word(words, at) >>> bucketShift;
    const target = word(next, bucket);
    next[bucket] = target + wordsPerEntry;
    for (let part = 0; part < wordsPerEntry; part += 1) ordered[target + part] = word(words, at + part);
  }
}
