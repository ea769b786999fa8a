/** What is looked at, again and again. */
export interface Measure {
  readonly name: string;
  /** What one of the shown units is made of: bytes are shown as mebibytes. */
  readonly unit: { readonly name: string; readonly size: number };
  /** How much more than in the third quarter there may be in the fourth, besides a twentieth of it. */
  readonly slack: number;
}

/** A measure over a whole run, quarter by quarter. */
export interface Course {
  readonly quarters: readonly number[];
  readonly isFlat: boolean;
}

const mebibyte = { name: 'MiB', size: 1024 * 1024 };
const count = { name: '', size: 1 };

/** Everything that must not grow. */
export const measures = {
  rss: { name: 'resident memory', unit: mebibyte, slack: 12 * mebibyte.size },
  heap: { name: 'live heap', unit: mebibyte, slack: 2 * mebibyte.size },
  files: { name: 'open files', unit: count, slack: 4 },
  handles: { name: 'handles', unit: count, slack: 4 },
  database: { name: 'database', unit: mebibyte, slack: mebibyte.size / 2 },
  wal: { name: 'write-ahead log', unit: mebibyte, slack: mebibyte.size },
  sessions: { name: 'sessions kept', unit: count, slack: 60 },
  changes: { name: 'changes kept', unit: count, slack: 60 },
} as const satisfies Readonly<Record<string, Measure>>;

export type Sample = Readonly<Record<keyof typeof measures, number>>;

/**
 * The rule: a measure is flat when its median in the last quarter of the run is at most a twentieth, and a little, above
 * its median in the third. In the first half a server warms up, and what is kept for two days has not begun to go.
 */
export function courseOf(values: readonly number[], { slack }: Pick<Measure, 'slack'>): Course {
  const quarters = [0, 1, 2, 3].map((quarter) => {
    const [from, to] = [quarter, quarter + 1].map((each) => Math.floor((each * values.length) / 4));
    return median(values.slice(from, to));
  });
  const [, , third = Number.NaN, fourth = Number.NaN] = quarters;
  return { quarters, isFlat: fourth <= third * 1.05 + slack };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}
