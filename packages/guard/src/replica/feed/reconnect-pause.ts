const shortest = 20;
const firstLongest = 100;
const longest = 2000;

/**
 * How long to wait before the next connection, in milliseconds.
 *
 * Random, so that many guards who lost one server do not come to the next at the same moment; up to 100 ms after the
 * first failure, up to 2 s after some.
 */
export function reconnectPause(failures: number, random: number): number {
  const upTo = Math.min(longest, firstLongest * 2 ** Math.min(failures, 10));
  return shortest + random * (upTo - shortest);
}
