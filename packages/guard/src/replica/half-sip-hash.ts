/** Characters whose hash is computed without allocating anything: longer than any identifier in an honest token. */
const ordinaryLength = 255;
const firstNonAscii = 0x80;

/** The words of the text that is hashed. Shared, since hashing is never interrupted. */
const ordinaryWords = new Int32Array((ordinaryLength + 1) / 4 + 1);
const encoder = new TextEncoder();

/**
 * HalfSipHash-2-4 with 64 bits of output, over one byte for a kind and then a text in UTF-8.
 *
 * Keyed, so that nobody who does not know the key can choose names that collide. It runs several times for every
 * request, so the result lies in two fields instead of an object.
 *
 * @see {@link https://www.aumasson.jp/siphash/siphash.pdf SipHash: a fast short-input PRF}
 */
export class HalfSipHash {
  readonly #key0: number;
  readonly #key1: number;
  /** The first word of the last result, as a signed integer. */
  low = 0;
  /** The second word of the last result, as a signed integer. */
  high = 0;

  /** `key` is eight bytes: two words, each with its lowest byte first. */
  constructor(key: Uint8Array) {
    const words = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.#key0 = words.getInt32(0, true);
    this.#key1 = words.getInt32(4, true);
  }

  /** Hashes a kind and a text into {@link HalfSipHash.low} and {@link HalfSipHash.high}. */
  digest(kind: number, text: string): void {
    const count = packOrdinary(kind, text);
    if (count > 0) return this.#mix(ordinaryWords, count);
    const words = pack(kind, encoder.encode(text));
    this.#mix(words, words.length);
  }

  #mix(words: Int32Array, count: number): void {
    // The compiler sees an integer by that, which halves the time.
    let v0 = this.#key0 | 0;
    let v1 = this.#key1 ^ 0xee;
    let v2 = this.#key0 ^ 0x6c796765;
    let v3 = this.#key1 ^ 0x74656462;
    // Two rounds for each word and then four for each word of the result. A loop for the two would take half as long again.
    for (let step = 0; step < count + 4; step += 1) {
      const word = step < count ? (words[step] ?? 0) : 0;
      if (step === count) v2 ^= 0xee;
      if (step === count + 2) {
        this.low = v1 ^ v3;
        v1 ^= 0xdd;
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);

      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.high = v1 ^ v3;
  }
}

/** Packs kind and text into {@link ordinaryWords} and returns how many there are; 0 when the text is not ordinary. */
function packOrdinary(kind: number, text: string): number {
  const { length } = text;
  if (length > ordinaryLength) return 0;
  let word = kind;
  let count = 0;
  let seen = 0;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    const first = text.charCodeAt(index);
    const second = text.charCodeAt(index + 1);
    const third = text.charCodeAt(index + 2);
    const fourth = text.charCodeAt(index + 3);
    seen |= first | second | third | fourth;
    ordinaryWords[count] = word | (first << 8) | (second << 16) | (third << 24);
    word = fourth;
    count += 1;
  }
  for (let shift = 8; index < length; index += 1, shift += 8) {
    const code = text.charCodeAt(index);
    seen |= code;
    word |= code << shift;
  }
  if ((length & 3) === 3) {
    ordinaryWords[count] = word;
    word = 0;
    count += 1;
  }
  // The last word holds what is left over and, in its highest byte, how many bytes there are in all.
  ordinaryWords[count] = word | ((length + 1) << 24);
  return seen < firstNonAscii ? count + 1 : 0;
}

function pack(kind: number, text: Uint8Array): Int32Array {
  const length = text.length + 1;
  const words = new Int32Array((length >> 2) + 1);
  const bytes = new Uint8Array(words.length * 4);
  bytes[0] = kind;
  bytes.set(text, 1);
  bytes[bytes.length - 1] = length & 0xff;
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < words.length; index += 1) words[index] = view.getInt32(index << 2, true);
  return words;
}
