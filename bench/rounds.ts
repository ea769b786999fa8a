import { performance } from 'node:perf_hooks';

/** One way of doing the work that is measured. Answers how often it did it in about `milliseconds`. */
export type Contender = (milliseconds: number) => number | Promise<number>;

/** Speed relative to the base, over all rounds. */
export interface Ratio {
  readonly name: string;
  readonly perSecond: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** A contender that calls a synchronous function over and over. */
export function repeat(work: () => unknown): Contender {
  return (milliseconds) => {
    const end = performance.now() + milliseconds;
    let count = 0;
    while (performance.now() < end) {
      for (let index = 0; index < 10; index += 1) work();
      count += 10;
    }
    return count;
  };
}

/** A contender that awaits each call before the next one. */
export function repeatAsync(work: () => Promise<unknown>): Contender {
  return async (milliseconds) => {
    const end = performance.now() + milliseconds;
    let count = 0;
    while (performance.now() < end) {
      await work();
      count += 1;
    }
    return count;
  };
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/**
 * Compares contenders with the first one, the base.
 *
 * All of them run in every round, one after the other, and a ratio compares two numbers of the same round: what else
 * the machine does hits them alike. The order turns by one each round. The first round warms up and is not counted.
 */
export async function compare(
  contenders: Readonly<Record<string, Contender>>,
  { rounds = 15, milliseconds = 40 }: { readonly rounds?: number; readonly milliseconds?: number } = {},
): Promise<Ratio[]> {
  const entries = Object.entries(contenders);
  const speeds = new Map<string, number[]>(entries.map(([name]) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const turn = round % entries.length;
    for (const [name, contender] of [...entries.slice(turn), ...entries.slice(0, turn)]) {
      const start = performance.now();
      const count = await contender(milliseconds);
      const perSecond = (count * 1000) / (performance.now() - start);
      if (round > 0) speeds.get(name)?.push(perSecond);
    }
  }
  const base = speeds.get(entries[0]?.[0] ?? '') ?? [];
  return [...speeds].map(([name, values]) => {
    const ratios = values.map((value, round) => value / (base[round] ?? NaN));
    return {
      name,
      perSecond: middle(values),
      min: Math.min(...ratios),
      median: middle(ratios),
      max: Math.max(...ratios),
    };
  });
}
