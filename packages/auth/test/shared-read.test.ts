import { describe, expect, it } from 'vitest';
import { SharedRead } from '../src/shared-read.ts';

/** A read whose answers come when they are given: the number of reads that have begun tells which one they are of. */
function aRead(): { read: SharedRead<string>; begun: () => number; answer: (text: string) => void; fail: () => void } {
  const waiting: { resolve: (text: string) => void; reject: (error: Error) => void }[] = [];
  let begun = 0;
  const read = new SharedRead(() => {
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
    const asked = read.ask();
    await turn();
    expect(begun()).toBe(1);
    answer('first');
    expect(await asked).toBe('first');
  });

  it('serves all who have asked while the one before was under way, and begins after they did', async () => {
    const { read, begun, answer } = aRead();
    const first = read.ask();
    await turn();
    const later = [read.ask(), read.ask()];
    await turn();
    const last = read.ask();
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
    const first = read.ask();
    await turn();
    const second = read.ask();
    fail();
    await expect(first).rejects.toThrow('away');
    await turn();
    answer('back');
    expect(await second).toBe('back');
  });
});
