import { describe, expect, it } from 'vitest';
import { SerialReads } from '../src/serial-reads.ts';

/** A read whose answers come when they are given: the number of reads that have begun tells which one they are of. */
function aRead(): { read: SerialReads<string>; begun: () => number; answer: (text: string) => void; fail: () => void } {
  const waiting: { resolve: (text: string) => void; reject: (error: Error) => void }[] = [];
  let begun = 0;
  const read = new SerialReads(() => {
    begun += 1;
    return new Promise<string>((resolve, reject) => waiting.push({ resolve, reject }));
  });
  return {
    read,
    begun: () => begun,
    answer: (text) => waiting.shift()?.resolve(text),
    fail: () => waiting.shift()?.reject(new Error('away')),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a shared read', () => {
  it('begins at once for whoever asks alone', async () => {
    const { read, begun, answer } = aRead();
    const asked = read.fresh();
    await turn();
    expect(begun()).toBe(1);
    answer('first');
    expect(await asked).toBe('first');
  });

  it('serves with what was read a moment ago whoever can do with that, until it is too old or has failed', async () => {
    const { read, begun, answer, fail } = aRead();
    const asked = read.recent(1_000);
    await turn();
    answer('first');
    expect(await asked).toBe('first');
    expect(await read.recent(1_000)).toBe('first');
    expect(begun()).toBe(1);
    const again = read.recent(-1);
    await turn();
    expect(begun()).toBe(2);
    fail();
    await expect(again).rejects.toThrow('away');
    const afterwards = read.recent(1_000);
    await turn();
    answer('third');
    expect(await afterwards).toBe('third');
  });

  it('serves all who have asked while the one before was under way, and begins after they did', async () => {
    const { read, begun, answer } = aRead();
    const first = read.fresh();
    await turn();
    const later = [read.fresh(), read.fresh()];
    await turn();
    const last = read.fresh();
    expect(begun()).toBe(1);
    answer('before');
    await turn();
    expect(begun()).toBe(2);
    answer('after');
    expect(await first).toBe('before');
    expect(await Promise.all([...later, last])).toEqual(['after', 'after', 'after']);
    expect(begun()).toBe(2);
  });

  it('that fails does so for those who share it alone', async () => {
    const { read, answer, fail } = aRead();
    const first = read.fresh();
    await turn();
    const second = read.fresh();
    fail();
    await expect(first).rejects.toThrow('away');
    await turn();
    answer('back');
    expect(await second).toBe('back');
  });
});
