/** Visits counted in one sequence; it starts again when it ends. */
const length = 1 << 18;

/**
 * Who comes when: the n-th of so many users comes n to the power of minus the exponent as often as the first. The same
 * in each run.
 */
export function zipfSequence(users: number, exponent: number): Uint32Array {
  const sums = new Float64Array(users);
  let sum = 0;
  for (let user = 0; user < users; user += 1) {
    sum += (user + 1) ** -exponent;
    sums[user] = sum;
  }
  const random = aRandom(1);
  return Uint32Array.from({ length }, () => firstAbove(sums, random() * sum));
}

/** The first place whose value is not below another, in values that rise. */
function firstAbove(values: Float64Array, value: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Numbers from 0 to 1, the same for the same seed (xorshift32). */
function aRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
