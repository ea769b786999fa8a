/**
 * A buffer with its methods for one encoding each. Every Buffer has them, though only the general `write` and
 * `toString` are documented; those look the encoding up at each call, which takes as long as copying a token does.
 */
export interface Octets extends Buffer {
  /** Writes at most `length` characters as one octet each, and returns how many. */
  latin1Write(text: string, offset: number, length: number): number;
  /** Writes the UTF-8 form of a text, at most `length` octets of whole characters, and returns how many. */
  utf8Write(text: string, offset: number, length: number): number;
  /** Decodes base64url, skipping what is none, and returns how many octets it wrote. */
  base64urlWrite(text: string, offset: number, length: number): number;
  /** Encodes a part as base64url. */
  base64urlSlice(start: number, end: number): string;
  /** Decodes a part as UTF-8; what is none becomes U+FFFD. */
  utf8Slice(start: number, end: number): string;
}

/** Makes a buffer of zeros. */
export function octets(size: number): Octets {
  return Buffer.alloc(size) as Octets;
}

/** Memory that each use writes anew. Everything in this package is synchronous, so one piece serves all calls. */
export class Scratch {
  readonly octets: Octets;
  #beginning: Buffer;

  constructor(size: number) {
    this.octets = octets(size);
    this.#beginning = this.octets;
  }

  /**
   * Its first octets, good until the next use. A view costs as much as copying a token, so the one made last is kept:
   * lengths repeat.
   */
  first(length: number): Buffer {
    if (this.#beginning.length !== length) this.#beginning = this.octets.subarray(0, length);
    return this.#beginning;
  }
}
