import { expect } from 'vitest';

/** Whether the code under test is the one of `npm run test:mutation`, which counts every step it takes. */
export const isInstrumented = '__stryker__' in globalThis;

/** How long it is tried, in milliseconds: tests may take three times as long. */
const patience = 20_000;

/**
 * Expects that something can be done in so many milliseconds. A busy machine holds it up as often as it likes: one run
 * that takes no longer shows what the work is, and where the work is too much no run does. What only the first run does is
 * not seen. Instrumented code has no limit.
 */
export async function expectWithin(milliseconds: number, act: () => unknown): Promise<void> {
  const giveUp = performance.now() + patience;
  let quickest = Infinity;
  while (quickest >= milliseconds && performance.now() < giveUp) {
    const started = performance.now();
    await act();
    quickest = isInstrumented ? 0 : Math.min(quickest, performance.now() - started);
  }
  expect(quickest).toBeLessThan(milliseconds);
}
