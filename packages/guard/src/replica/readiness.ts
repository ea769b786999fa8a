import { setTimeout as pause } from 'node:timers/promises';
import type { Keys } from '@sallyport/jwt';
import type { Truth } from './truth.ts';

const lookEvery = 20;
const milliseconds = 1000;

/**
 * Waits until keys are at hand and what holds for tokens is known.
 *
 * @throws {Error} after so many seconds; the message says what is missing.
 * @throws {TypeError} for a number of seconds that is none.
 */
export async function becomeReady(keys: Keys, truth: Truth, patience: number): Promise<void> {
  if (typeof patience !== 'number' || !(patience >= 0))
    throw new TypeError('ready: the timeout must be a number of seconds');
  const deadline = performance.now() + patience * milliseconds;
  for (;;) {
    const missing = await findMissing(keys, truth);
    if (missing === undefined) return;
    if (performance.now() >= deadline) {
      throw new Error(`The guard is not ready after ${String(patience)} seconds: ${missing}`);
    }
    await pause(lookEvery);
  }
}

async function findMissing(keys: Keys, truth: Truth): Promise<string | undefined> {
  if ('refresh' in keys) {
    const failure = await keys.refresh().catch((error: Error) => error);
    if (failure !== undefined) return `the keys of the issuer cannot be fetched (${failure.message})`;
  }
  const { ready, problem = 'the feed has not been read' } = truth.status();
  return ready ? undefined : problem;
}
