import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * How long the same wish may be repeated, in milliseconds: on Ctrl+C the terminal tells the whole process group, and
 * npm then tells its child once more.
 */
const echoes = 500;

/** Waits for the first wish to stop. A second one that is no echo ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (signal: (typeof signals)[number]): void => {
      if (first === undefined) {
        first = performance.now();
        resolve(signal);
      } else if (performance.now() - first > echoes) {
        process.exit(128 + constants.signals[signal]);
      }
    };
    for (const signal of signals) process.on(signal, onSignal);
  });
}
