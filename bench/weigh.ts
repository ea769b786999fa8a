import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The heap and what hangs on it, in bytes, when all garbage is gone. */
export async function weigh(): Promise<number> {
  // What native objects hold is let go between two collections.
  for (let pass = 0; pass < 3; pass += 1) {
    collectGarbage();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What `node --expose-gc` offers, without the flag. */
const collectGarbage = ((): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();
