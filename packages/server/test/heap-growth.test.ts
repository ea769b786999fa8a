import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../test/child-process.ts';
import { root } from '../../../test/source-files.ts';

const heapGrowth = JSON.stringify(join(root, 'packages/server/dist/node/heap-growth.js'));

/** A program that keeps objects for a while, as a server keeps requests, and prints how often all of its heap was collected. */
const program = (start: string): string => `
  import { PerformanceObserver, constants } from 'node:perf_hooks';
  import { setTimeout as pause } from 'node:timers/promises';
  ${start}
  let collections = 0;
  new PerformanceObserver((list) => {
    collections += list.getEntries().filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
  }).observe({ entryTypes: ['gc'] });
  const kept = Array.from({ length: 50_000 }, (_, id) => ({ id, text: 'of ' + id }));
  const recent = [];
  for (let round = 0; round < 800; round++) {
    recent[round % 60] = Array.from({ length: 10_000 }, (_, id) => ({ id }));
    if (round % 10 === 0) await pause(1);
  }
  await pause(50);
  console.log(collections, kept.length);`;

async function collectionsOf(start: string): Promise<number> {
  // What V8 allows when it saves memory. Little stays young, so that it is the whole heap that fills.
  const flags = ['--heap-growing-percent=30', '--max-semi-space-size=1'];
  const { stdout, stderr, status } = await runProgram([...flags, '--input-type=module', '--eval', program(start)]);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return Number.parseInt(stdout, 10);
}

describe('the heap of the standalone server', () => {
  it('is allowed to grow, in the middle of a run: all of it is collected a fraction as often, and V8 knows the setting', async () => {
    const seldom = await collectionsOf(`import { letHeapGrow } from ${heapGrowth}; letHeapGrow();`);
    const often = await collectionsOf('');
    expect(seldom).toBeGreaterThan(0);
    expect(seldom).toBeLessThan(often / 2);
  });
});
