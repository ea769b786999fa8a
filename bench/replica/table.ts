import { ChangeTable } from '../../packages/guard/dist/replica/change-table.js';
import { PackedChanges } from '../../packages/guard/dist/replica/packed-changes.js';
import { PackedTable } from '../../packages/guard/dist/replica/packed-table.js';
import { atMost, section, type Target, type Topic } from '../report.ts';
import { weigh } from '../weigh.ts';
import { later, someChanges } from './entries.ts';

const sizes = [100_000, 1_000_000] as const;
const runs = 5;
const hashKey = '00112233445566ff';

interface Filled {
  readonly size: number;
}

/** Bytes for each entry of something that is filled. */
async function bytesPerEntry(count: number, fill: () => Filled): Promise<number> {
  // Code that is compiled meanwhile would be weighed too.
  fill();
  const before = await weigh();
  const filled = fill();
  const after = await weigh();
  if (filled.size !== count) throw new Error('Not all of them are there');
  return (after - before) / count;
}

function fillPacked(count: number): Filled {
  const changes = new PackedChanges(hashKey);
  for (const change of someChanges(count)) changes.apply(change);
  return changes;
}

function fillMaps(count: number): Filled {
  const changes = new ChangeTable();
  for (const change of someChanges(count)) changes.apply(change);
  return changes;
}

/**
 * The longest of many steps, in milliseconds. What else the machine does makes any step longer now and then, but hardly
 * the same one in each of several runs: each step counts with its quickest.
 */
function longestStep(run: () => Iterable<() => void>): number {
  const quickest: number[] = [];
  for (let count = 0; count < runs; count += 1) {
    let index = 0;
    for (const step of run()) {
      const begun = performance.now();
      step();
      quickest[index] = Math.min(quickest[index] ?? Number.POSITIVE_INFINITY, performance.now() - begun);
      index += 1;
    }
  }
  return quickest.reduce((longest, each) => Math.max(longest, each), 0);
}

/** Spread evenly, and the same in each run. */
function* insertions(table: PackedTable, count: number): Generator<() => void> {
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const [low, high] = [Math.imul(sequence, 0x9e37_79b1), Math.imul(sequence, 0x85eb_ca6b)];
    yield () => table.set(low, high, sequence, sequence % 2 === 0 ? later : 1);
  }
}

function* sweeps(count: number): Generator<() => void> {
  const table = new PackedTable();
  for (const step of insertions(table, count)) step();
  for (let turn = 0; turn < 52; turn += 1) yield () => table.sweep(2, 5);
}

/** What entries take in memory, and for how long taking them in and dropping them holds everything else up. */
export async function benchTable(): Promise<Topic> {
  const [rows, targets]: [string[], Target[]] = [[], []];
  for (const count of sizes) {
    const packed = await bytesPerEntry(count, () => fillPacked(count));
    const maps = await bytesPerEntry(count, () => fillMaps(count));
    rows.push(`| ${count.toLocaleString('en')} | ${packed.toFixed(0)} | ${maps.toFixed(0)} |`);
    targets.push(atMost(`Bytes for each of ${count.toLocaleString('en')} entries`, packed, 45, ' B'));
  }
  const growth = longestStep(() => insertions(new PackedTable(), 1_000_000));
  const sweep = longestStep(() => sweeps(1_000_000));
  targets.push(atMost('Longest insertion on the way to 1e6 entries', growth, 10, ' ms'));
  targets.push(atMost('Longest sweep of 1e6 entries, half of them expired', sweep, 10, ' ms'));
  const note = `Bytes for each entry: the heap and what hangs on it, before and after. The longest insertion on the way to a million entries took
${growth.toFixed(2)} ms, the longest of the sweeps of five segments that go on once a second ${sweep.toFixed(2)} ms (each step at its quickest in ${runs} runs).`;
  return {
    text: section('Memory and pauses', note, ['| entries | packed | maps |', '|--:|--:|--:|', ...rows]),
    targets,
  };
}
