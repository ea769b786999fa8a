import { describe, expect, it } from 'vitest';
import type { Change } from '../src/changes/change.ts';
import { EntryRing } from '../src/feed/entry-ring.ts';

const anEntry = (sequence: number): Change => ({
  sequence,
  kind: 1,
  key: String(sequence),
  expiresAt: undefined,
  critical: true,
  acknowledge: false,
});

const entries = (from: number, to: number): readonly Change[] =>
  Array.from({ length: to - from + 1 }, (_, index) => anEntry(from + index));

const sequences = (found: readonly Change[] | undefined): readonly number[] | undefined =>
  found?.map(({ sequence }) => sequence);

describe('the latest entries', () => {
  it('are those that were added, a few at a time', () => {
    const ring = new EntryRing(8, 100);
    expect(ring.push(entries(101, 105))).toBe(true);
    expect(ring.head).toBe(105);
    expect(sequences(ring.after(100, 9))).toEqual([101, 102, 103, 104, 105]);
    expect(sequences(ring.after(102, 2))).toEqual([103, 104]);
    expect(sequences(ring.after(105, 9))).toEqual([]);
  });

  it('are not known any more when others have taken their places, nor before the first', () => {
    const ring = new EntryRing(8, 100);
    ring.push(entries(101, 105));
    ring.push(entries(106, 111));
    expect(sequences(ring.after(103, 99))).toEqual([104, 105, 106, 107, 108, 109, 110, 111]);
    expect(ring.after(102, 1)).toBeUndefined();
    expect(new EntryRing(8, 100).after(99, 1)).toBeUndefined();
  });

  it.each([
    ['leave one out', [102]],
    ['are there already', [100]],
    ['come in disorder', [102, 101]],
    ['have a hole', [101, 103]],
  ])('take in nothing of entries that %s', (_, added) => {
    const ring = new EntryRing(8, 100);
    expect(ring.push(added.map(anEntry))).toBe(false);
    expect(ring.head).toBe(100);
  });

  it('tell where the end of a session stands that somebody waits for, as long as they are there', () => {
    const ring = new EntryRing(8, 100);
    const end: Change = { ...anEntry(102), key: 's', acknowledge: true };
    ring.push([anEntry(101), end]);
    expect(ring.placeOfEnd('s', 100)).toBe(102);
    expect(ring.placeOfEnd('s', 101)).toBe(102);
    expect(ring.placeOfEnd('s', 102)).toBeUndefined();
    ring.push(entries(103, 109));
    expect(ring.placeOfEnd('s', 100)).toBe(102);
    ring.push(entries(110, 110));
    expect(ring.placeOfEnd('s', 100)).toBeUndefined();
  });

  it.each<[string, Partial<Change>]>([
    ['that nobody waits for', { acknowledge: false }],
    ['of something else than a session', { kind: 2 }],
  ])('do not tell the place of an entry %s', (_, other) => {
    const ring = new EntryRing(8, 100);
    ring.push([{ ...anEntry(101), key: 's', acknowledge: true, ...other }]);
    expect(ring.placeOfEnd('s', 100)).toBeUndefined();
  });
});
