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
