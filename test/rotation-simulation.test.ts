import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRefreshAlone, openWholeEngine } from '../bench/rotation/engines.ts';
import { thieves } from '../bench/rotation/parties.ts';
import { agree, networks, openSimulator, type Simulator } from '../bench/rotation/simulation.ts';

/** The longest pause between two refreshes of one party, in milliseconds. */
const oneRefresh = 10.6 * 60_000;
const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

let simulator: Simulator;
beforeAll(async () => {
  simulator = await openSimulator('resilient', openRefreshAlone);
});
afterAll(() => simulator.close());

describe('the resilient policy in the simulator', () => {
  it('S2 signs no honest user out on a standard network', async () => {
    const months = [];
    for (const seed of seeds(10)) months.push(await simulator.month(seed, networks.standard));
    expect(months.filter(({ signedOut }) => signedOut)).toEqual([]);
    const outcomes = new Set(months.flatMap((month) => month.outcomes));
    expect([...outcomes].toSorted()).toEqual(expect.arrayContaining(['forked', 'raced', 'retried', 'rotated']));
  });

  it.each(thieves)('S2 ends the session of thief $name, who $does, by the next refresh', async (thief) => {
    for (const seed of seeds(40)) {
      const theft = await simulator.theft(seed, thief);
      if (theft.kind === 'blocked') continue;
      if (theft.kind === 'undetected') throw new Error(`theft ${String(seed)} was never found`);
      expect(theft.afterParting).toBeLessThan(oneRefresh);
    }
  });

  it('decides as the whole engine over SQLite does', async () => {
    const whole = await openSimulator('resilient', openWholeEngine);
    expect(await agree(simulator, whole, [1])).toBeGreaterThan(1000);
    await whole.close();
  });
});

describe('the strict policy in the simulator', () => {
  it('S2 takes racing tabs for thieves, which is what it costs', async () => {
    const strict = await openSimulator('strict', openRefreshAlone);
    for (const seed of seeds(5)) expect((await strict.month(seed, networks.standard)).signedOut).toBe(true);
    await strict.close();
  });
});
