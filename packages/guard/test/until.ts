import { setTimeout as pause } from 'node:timers/promises';

const patience = 20_000;

/** Waits until something holds; throws what it was about when it does not come to pass. */
export async function until(what: string, holds: () => unknown): Promise<void> {
  const deadline = performance.now() + patience;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It never came to pass that ${what}`);
    await pause(5);
  }
}
