import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** How many of them the kernel counts in a second, on every machine of our days. */
const ticks = 100;

/** Processor time of another process since it began, in milliseconds; NaN where the system does not tell. Linux alone. */
export function processorTimeOf(pid: number | undefined): number {
  const file = `/proc/${String(pid)}/stat`;
  if (!existsSync(file)) return Number.NaN;
  // The name of the program, which may hold anything, stands in parentheses.
  const fields = readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const [user, system] = [fields[11], fields[12]].map(Number);
  return (((user ?? Number.NaN) + (system ?? Number.NaN)) * 1000) / ticks;
}

/** Processor time of this process, in milliseconds. */
export function ownProcessorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Processor time of everything on this machine, in milliseconds. */
export function machineProcessorTime(): number {
  return sum(cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq));
}

export function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}
