import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PackedTable } from '../../src/replica/packed-table.ts';

const noon = 1_800_000_000;

/** Words as a good hash would give them, for a number. */
function spread(index: number): readonly [low: number, high: number] {
  return [Math.imul(index + 1, 0x9e37_79b1) | 0, Math.imul(index + 1, 0x85eb_ca6b) | 0];
}

/** A table of so many keys, each with its number as sequence. */
function aTable(keys: number, expiresAt = 0): PackedTable {
  const table = new PackedTable();
  for (let index = 1; index <= keys; index += 1) table.set(...spread(index), index, expiresAt);
  return table;
}

describe('a packed table', () => {
  it('finds the newest sequence of a key, whatever their order, and nothing for others', () => {
    const table = new PackedTable();
    table.set(1, 2, 7, 0);
    table.set(1, 2, 5, 0);
    expect(table.get(1, 2)).toBe(7);
    table.set(1, 2, 9, 0);
    expect([table.get(1, 2), table.get(2, 1), table.get(1, 3), table.size]).toEqual([9, 0, 0, 1]);
  });

  it('holds keys that share a slot, or one word, apart', () => {
    const table = new PackedTable();
    for (let high = 1; high <= 100; high += 1) table.set(5, high, high, 0);
    for (let high = 1; high <= 100; high += 1) expect(table.get(5, high)).toBe(high);
    expect(table.get(5, 101)).toBe(0);
  });

  it('knows the key of zeros, which looks like a free slot, and keys at both ends', () => {
    const table = new PackedTable();
    expect(table.get(0, 0)).toBe(0);
    table.set(0, 0, 3, 0);
    table.set(-1, -1, 4, 0);
    expect([table.get(0, 0), table.get(-1, -1), table.get(0, 2), table.size]).toEqual([3, 4, 0, 2]);
  });

  it('forgets nothing while it grows', () => {
    const table = aTable(100_000);
    expect(table.size).toBe(100_000);
    for (let index = 1; index <= 100_000; index += 1) expect(table.get(...spread(index))).toBe(index);
  });

  it('keeps sequences beyond 32 bits, to the end of what a number can hold', () => {
    const table = new PackedTable();
    const steps = [1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER];
    for (const sequence of steps) {
      table.set(1, 1, sequence, 0);
      expect(table.get(1, 1)).toBe(sequence);
    }
  });

  it('keeps exact what is up to two thousand million changes old, and never takes older ones for less than they are', () => {
    const table = new PackedTable();
    table.set(1, 1, 10, 0);
    table.set(1, 2, 2 ** 32, 0);
    table.set(1, 3, 2 ** 32 + 20, 0);
    expect(table.get(1, 1)).toBeGreaterThanOrEqual(10);
    expect([table.get(1, 2), table.get(1, 3)]).toEqual([2 ** 32, 2 ** 32 + 20]);
    table.set(1, 4, 3, 0);
    expect(table.get(1, 4)).toBeGreaterThanOrEqual(3);
  });

  it('drops what has expired, in as many steps as it is told, and gives the memory back', () => {
    const table = aTable(10_000, noon);
    for (let index = 10_001; index <= 10_100; index += 1) table.set(...spread(index), index, noon + 60);
    table.sweep(noon);
    expect(table.size).toBe(10_100);
    table.sweep(noon + 1, 128);
    expect(table.size).toBeGreaterThan(100);
    table.sweep(noon + 1, 128);
    expect(table.size).toBe(100);
    expect(table.get(...spread(10_050))).toBe(10_050);
    expect(table.get(...spread(50))).toBe(0);
  });

  it('never drops what never expires, and keeps a key for as long as its longest-lived sequence', () => {
    const table = new PackedTable();
    table.set(1, 1, 1, 0);
    table.set(1, 2, 1, noon + 60);
    table.set(1, 2, 2, noon);
    table.set(1, 3, 1, noon);
    table.set(1, 3, 2, 0);
    table.sweep(2 ** 32);
    expect([table.get(1, 1), table.get(1, 2), table.get(1, 3)]).toEqual([1, 0, 2]);
    table.set(1, 2, 1, noon + 60);
    table.set(1, 2, 2, noon);
    table.sweep(noon + 30);
    expect(table.get(1, 2)).toBe(2);
  });

  it('takes over another table', () => {
    const table = aTable(1000);
    const other = new PackedTable();
    other.set(...spread(5), 2000, noon);
    other.set(...spread(5000), 2001, noon);
    table.absorb(other);
    expect([table.get(...spread(5)), table.get(...spread(5000)), table.get(...spread(6))]).toEqual([2000, 2001, 6]);
    expect(table.size).toBe(1001);
  });

  it('agrees with a map over any sequence of steps', () => {
    const word = fc.constantFrom(0, 1, -1, 2 ** 24, -(2 ** 24), 77);
    const step = fc.oneof(
      {
        weight: 9,
        arbitrary: fc.record({
          low: word,
          high: word,
          sequence: fc.integer({ min: 1, max: 50 }),
          expiresAt: fc.nat(9),
        }),
      },
      { weight: 1, arbitrary: fc.record({ before: fc.nat(10) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new PackedTable();
        const map = new Map<string, { sequence: number; expiresAt: number }>();
        for (const each of steps) {
          if ('before' in each) {
            table.sweep(each.before);
            for (const [key, { expiresAt }] of map) if (expiresAt > 0 && expiresAt < each.before) map.delete(key);
            continue;
          }
          const { low, high, sequence, expiresAt } = each;
          table.set(low, high, sequence, expiresAt);
          // The table's one blind spot: it takes 0 0 for 0 1.
          const key = `${low} ${low === 0 && high === 0 ? 1 : high}`;
          const known = map.get(key) ?? { sequence, expiresAt };
          const latest = known.expiresAt === 0 || expiresAt === 0 ? 0 : Math.max(known.expiresAt, expiresAt);
          map.set(key, { sequence: Math.max(known.sequence, sequence), expiresAt: latest });
        }
        expect(table.size).toBe(map.size);
        for (const [key, { sequence }] of map) {
          const [low = 0, high = 0] = key.split(' ').map(Number);
          expect(table.get(low, high)).toBe(sequence);
        }
      }),
    );
  });
});
