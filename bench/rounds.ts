import { performance } from 'node:perf_hooks';

/** One way of doing the work that is measured. */
export interface Contender {
  readonly name: string;
  /** Does the work so many times. */
  readonly run: (times: number) => void | Promise<void>;
}

/** One piece of work; the index goes up from call to call, so that each can have another token. */
export type Work = (index: number) => unknown;

/** How fast a contender was in each round. */
export interface Measured {
  readonly name: string;
  /** Calls per second of the clock, by round. */
  readonly speeds: readonly number[];
}

/** Speed relative to another contender, over all rounds. */
export interface Ratio {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

interface MeasureOptions {
  /** How long each contender works in each round, about. Default: 30. */
  readonly milliseconds?: number;
  /** Milliseconds gone by. Default: the wall clock. */
  readonly clock?: () => number;
}

/** Where results go, so that no compiler finds them useless. */
const sink: { result: unknown } = { result: undefined };

/** A contender that calls a synchronous function over and over. */
export function repeat(name: string, work: Work): Contender {
  let next = 0;
  return {
    name,
    run: (times) => {
      for (const end = next + times; next < end; next += 1) sink.result = work(next);
    },
  };
}

/** A contender that keeps some calls in flight, and awaits each before it starts another. */
export function repeatAsync(name: string, work: Work, inFlight = 1): Contender {
  let next = 0;
  return {
    name,
    run: async (times) => {
      const end = next + times;
      const lane = async (): Promise<void> => {
        while (next < end) {
          next += 1;
          sink.result = await work(next);
        }
      };
      await Promise.all(Array.from({ length: inFlight }, lane));
    },
  };
}

/** Rounds of every measurement. */
export const rounds = 21;

/** How often the contenders take turns within one round. */
const turns = 6;

/**
 * Measures contenders against each other.
 *
 * All of them run in every round, a few milliseconds at a time and in a new order at each turn: what else the machine
 * does hits them alike, and a ratio compares two numbers of one round. How much work fits into a turn is found out
 * before the first round, and all of them are warm by then.
 */
export async function measure(
  contenders: readonly Contender[],
  { milliseconds = 30, clock = () => performance.now() }: MeasureOptions = {},
): Promise<Measured[]> {
  for (const contender of contenders) await calibrate(contender, milliseconds);
  const entries: Entry[] = [];
  for (const contender of contenders) {
    entries.push({ contender, times: await calibrate(contender, milliseconds / turns), elapsed: 0, speeds: [] });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < turns; turn += 1) await takeTurns(entries, clock);
    for (const entry of entries) {
      entry.speeds.push((turns * entry.times * 1000) / entry.elapsed);
      entry.elapsed = 0;
    }
  }
  return entries.map(({ contender, speeds }) => ({ name: contender.name, speeds }));
}

interface Entry {
  readonly contender: Contender;
  /** How often it does its work in one turn. */
  readonly times: number;
  /** Milliseconds of its turns in this round. */
  elapsed: number;
  readonly speeds: number[];
}

async function takeTurns(entries: readonly Entry[], clock: () => number): Promise<void> {
  for (const entry of shuffled(entries)) {
    const start = clock();
    await entry.contender.run(entry.times);
    entry.elapsed += clock() - start;
  }
}

/** How often a contender can do its work in so many milliseconds. */
async function calibrate(contender: Contender, milliseconds: number): Promise<number> {
  for (let times = 1; ; times *= 2) {
    const start = performance.now();
    await contender.run(times);
    const elapsed = performance.now() - start;
    if (elapsed >= milliseconds) return Math.max(1, Math.round((times * milliseconds) / elapsed));
  }
}

/** The same items in an order of chance. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** The speed of one contender relative to another, round by round. */
export function ratio(one: Measured, base: Measured): Ratio {
  const ratios = one.speeds.map((speed, round) => speed / (base.speeds[round] ?? Number.NaN));
  return { min: Math.min(...ratios), median: median(ratios), max: Math.max(...ratios) };
}

/** The time of one contender relative to another. */
export function timeRatio(one: Measured, base: Measured): Ratio {
  return ratio(base, one);
}

/** Calls per second in the median round. */
export function perSecond({ speeds }: Measured): number {
  return median(speeds);
}

/** The middle one of some values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** The value below which a share of all values lies; NaN when one of them is. */
export function quantile(values: readonly number[], share: number): number {
  if (values.some(Number.isNaN)) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
