import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Batches, type BatchWork } from '../src/stores/sql/batches.ts';

/** Batches that are under way, or were, and how to end the ones that are. */
let begun: (readonly string[])[];
let underWay: (() => void)[];
const end = async (): Promise<void> => {
  underWay.shift()?.();
  await soon();
};
/** Lets everything happen that waits for no timer. */
const soon = (): Promise<void> =>
  new Promise((resolve) => {
    process.nextTick(() => process.nextTick(resolve));
  });

function batches(options: Partial<BatchWork<string, string>> = {}): Batches<string, string> {
  return new Batches<string, string>({
    most: 256,
    atOnce: 1,
    subjectOf: (item) => item,
    together: async (items) => {
      begun.push(items);
      await new Promise<void>((resolve) => underWay.push(resolve));
      return new Map(items.map((item) => [item, item]));
    },
    alone: (item) => Promise.resolve(item),
    ...options,
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  [begun, underWay] = [[], []];
});
afterEach(() => void vi.useRealTimers());

it('does together what is asked for at the same moment, and what comes while a batch is under way', async () => {
  const work = batches();
  const first = [work.ask('a'), work.ask('b')];
  await soon();
  const second = [work.ask('c'), work.ask('d')];
  await end();
  expect(begun).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  await end();
  expect(await Promise.all([...first, ...second])).toEqual(['a', 'b', 'c', 'd']);
});

it('never does two things about one subject at the same time', async () => {
  const work = batches({ atOnce: 2 });
  void work.ask('a');
  await soon();
  void work.ask('a');
  void work.ask('b');
  await soon();
  expect(begun).toEqual([['a'], ['b']]);
  await end();
  expect(begun).toEqual([['a'], ['b'], ['a']]);
});

it('with patience, lets whoever comes alone wait for nothing', async () => {
  const work = batches({ patience: 3 });
  for (const item of ['a', 'b', 'c']) {
    void work.ask(item);
    await soon();
    vi.advanceTimersByTime(5);
    await end();
  }
  expect(begun).toEqual([['a'], ['b'], ['c']]);
  expect(vi.getTimerCount()).toBe(0);
});

it('with patience, lets whoever comes first after a batch wait for nothing, however many that held', async () => {
  const work = batches({ patience: 3 });
  void work.ask('a');
  void work.ask('b');
  await soon();
  vi.advanceTimersByTime(5);
  await end();
  void work.ask('c');
  await soon();
  expect(begun).toEqual([['a', 'b'], ['c']]);
});

it('with patience, waits for as many as came meanwhile and the last batch held', async () => {
  const work = batches({ patience: 3 });
  void work.ask('a');
  await soon();
  vi.advanceTimersByTime(5);
  void work.ask('b');
  await end();
  expect(begun).toEqual([['a']]);
  void work.ask('c');
  await soon();
  expect(begun).toEqual([['a'], ['b', 'c']]);
});

it('with patience, waits no longer than some times as long as the last batch took, nor than 20 ms', async () => {
  const work = batches({ patience: 3 });
  for (const [took, patience] of [
    [2, 6],
    [500, 20],
  ] as const) {
    begun = [];
    void work.ask('a');
    await soon();
    vi.advanceTimersByTime(took);
    void work.ask('b');
    await end();
    vi.advanceTimersByTime(patience - 1);
    await soon();
    expect(begun).toEqual([['a']]);
    vi.advanceTimersByTime(1);
    await soon();
    expect(begun).toEqual([['a'], ['b']]);
    await end();
    expect(vi.getTimerCount()).toBe(0);
  }
});

it('with patience, waits for no more than one batch holds, and not for less than a millisecond', async () => {
  const work = batches({ patience: 3, most: 2 });
  void work.ask('a');
  void work.ask('b');
  await soon();
  vi.advanceTimersByTime(5);
  for (const item of ['c', 'd', 'e']) void work.ask(item);
  await end();
  expect(begun).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  // That one took no time.
  await end();
  expect(begun.at(-1)).toEqual(['e']);
});

it('with patience, goes on after a batch that failed', async () => {
  const failing = vi.fn<() => Promise<never>>(() => Promise.reject(new Error('the database is away')));
  const work = batches({ patience: 3, together: failing, alone: () => Promise.reject(new Error('alone too')) });
  await expect(work.ask('a')).rejects.toThrow('alone too');
  await expect(work.ask('b')).rejects.toThrow('alone too');
  expect(failing).toHaveBeenCalledTimes(2);
});
