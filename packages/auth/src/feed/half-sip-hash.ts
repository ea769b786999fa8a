/** 64 bits as two words of 32, unsigned. */
export interface HashWords {
  readonly low: number;
  readonly high: number;
}

/** How many rounds follow each word, and how many each half of the output. */
const compressionRounds = 2;
const finalRounds = 4;

/**
 * HalfSipHash-2-4 with 64 bits of output: short keyed hashes that nobody without the key can make collide.
 *
 * @param key 8 bytes
 * @see {@link https://github.com/veorq/SipHash/blob/master/halfsiphash.c the reference implementation}
 */
export function halfSipHash(key: Uint8Array, message: Uint8Array): HashWords {
  const [k0, k1] = [wordAt(key, 0), wordAt(key, 4)];
  const state: State = { v0: k0, v1: k1 ^ 0xee, v2: k0 ^ 0x6c796765, v3: k1 ^ 0x74656462 };
  const whole = message.length & ~3;
  for (let offset = 0; offset < whole; offset += 4) compress(state, wordAt(message, offset));
  compress(state, lastWord(message, whole));
  state.v2 ^= 0xee;
  const low = finish(state);
  state.v1 ^= 0xdd;
  return { low, high: finish(state) };
}

interface State {
  v0: number;
  v1: number;
  v2: number;
  v3: number;
}

function compress(state: State, word: number): void {
  state.v3 ^= word;
  rounds(state, compressionRounds);
  state.v0 ^= word;
}

function finish(state: State): number {
  rounds(state, finalRounds);
  return (state.v1 ^ state.v3) >>> 0;
}

function rounds(state: State, count: number): void {
  let { v0, v1, v2, v3 } = state;
  for (let round = 0; round < count; round += 1) {
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
  }
  state.v0 = v0;
  state.v1 = v1;
  state.v2 = v2;
  state.v3 = v3;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] ?? 0) |
    ((bytes[offset + 1] ?? 0) << 8) |
    ((bytes[offset + 2] ?? 0) << 16) |
    ((bytes[offset + 3] ?? 0) << 24)
  );
}

/** What is left of a message, and above it the message's length. */
function lastWord(message: Uint8Array, offset: number): number {
  const left = wordAt(message, offset) & 0x00ff_ffff;
  return left | (message.length << 24);
}
