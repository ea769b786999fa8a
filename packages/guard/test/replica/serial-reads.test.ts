import { describe, expect, it } from 'vitest';
import { SerialReads } from '../../src/replica/serial-reads.ts';

/** Reads that end when the test says so. */
function slowReads() {
  const running: { end: () => void; fail: (error: Error) => void }[] = [];
  const reads = new SerialReads(
    () =>
      new Promise((resolve, reject) => {
        running.push({ end: resolve, fail: reject });
      }),
  );
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { reads, running, turn };
}

describe('SerialReads', () => {
  it('lets callers of one moment share a read', async () => {
    const { reads, running, turn } = slowReads();
    const callers = Promise.all([reads.fresh(), reads.fresh(), reads.fresh()]);
    await turn();
    expect(running).toHaveLength(1);
    running[0]?.end();
    await callers;
    expect(running).toHaveLength(1);
  });

  it('makes a caller who comes during a read wait for the next one', async () => {
    const { reads, running, turn } = slowReads();
    const early = reads.fresh();
    await turn();
    let isLateDone = false;
    const late = (async () => {
      await reads.fresh();
      isLateDone = true;
    })();
    running[0]?.end();
    await early;
    await turn();
    expect({ begun: running.length, isLateDone }).toEqual({ begun: 2, isLateDone: false });
    running[1]?.end();
    await late;
    expect(isLateDone).toBe(true);
  });

  it('never runs two reads at once and queues at most one', async () => {
    const { reads, running, turn } = slowReads();
    const callers = [reads.fresh()];
    await turn();
    for (let caller = 0; caller < 50; caller += 1) callers.push(reads.fresh());
    await turn();
    expect(running).toHaveLength(1);
    running[0]?.end();
    await turn();
    expect(running).toHaveLength(2);
    running[1]?.end();
    await Promise.all(callers);
    expect(running).toHaveLength(2);
  });

  it('fails those who waited for a read that fails, and nobody else', async () => {
    const { reads, running, turn } = slowReads();
    const early = reads.fresh();
    await turn();
    const late = reads.fresh();
    running[0]?.fail(new Error('down'));
    await expect(early).rejects.toThrow('down');
    await turn();
    running[1]?.end();
    await expect(late).resolves.toBeUndefined();
  });
});
