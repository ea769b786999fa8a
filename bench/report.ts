import { perSecond, type Measured, type Ratio } from './rounds.ts';

/** One subject of the bench: what it prints, and what it says about the aims. */
export interface Topic {
  readonly text: string;
  readonly targets: readonly Target[];
}

/** An aim, and whether this run reached it. */
export interface Target {
  readonly what: string;
  readonly asked: string;
  readonly measured: string;
  readonly isReached: boolean;
}

/** An aim that a figure be so much or more. */
export function atLeast(what: string, measured: number, bound: number, unit = ''): Target {
  return { what, asked: `≥ ${figure(bound)}${unit}`, measured: figure(measured) + unit, isReached: measured >= bound };
}

/** An aim that a figure be so much or less. */
export function atMost(what: string, measured: number, bound: number, unit = ''): Target {
  return { what, asked: `≤ ${figure(bound)}${unit}`, measured: figure(measured) + unit, isReached: measured <= bound };
}

/** Every aim, with the verdict of the run. */
export function targetTable(targets: readonly Target[]): string {
  const missed = targets.filter(({ isReached }) => !isReached).length;
  const rows = targets.map(
    ({ what, asked, measured, isReached }) =>
      `| ${what} | ${asked} | ${measured} | ${isReached ? 'reached' : '**not reached**'} |`,
  );
  const verdict = missed === 0 ? 'All are reached.' : `${missed} of ${targets.length} are not reached.`;
  return [`### Targets\n\n${verdict}\n`, '| target | asked | measured | |', '|---|--:|--:|---|', ...rows].join('\n');
}

/** A heading, what the reader must know, and a table. */
export function section(title: string, note: string, table: readonly string[]): string {
  return [`### ${title}`, '', note, '', ...table].join('\n');
}

/** How a table of contenders begins. */
export const ratioHead: readonly string[] = [
  '| operation | by | calls/s | µs | min | median | max |',
  '|---|---|--:|--:|--:|--:|--:|',
];

/** One contender: its median speed, and its ratios to the base. */
export function ratioRow(operation: string, measured: Measured, { min, median, max }: Ratio): string {
  const speed = perSecond(measured);
  const figures = [speed.toFixed(0), microseconds(speed), figure(min), figure(median), figure(max)];
  return `| ${operation} | ${measured.name} | ${figures.join(' | ')} |`;
}

/** The time of one call, from calls per second. */
export function microseconds(speed: number): string {
  return (1e6 / speed).toPrecision(3);
}

/** Two decimals for what is about 1, fewer for what is large. */
function figure(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
