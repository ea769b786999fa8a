import { isUtf8 } from 'node:buffer';
import { octets, type Scratch } from './octets.ts';

/** Long enough for the parts of ordinary tokens. Everything here is synchronous, so one buffer serves all calls. */
const scratch = octets(8192);

/** Encodes bytes, or the UTF-8 bytes of a text, as base64url without padding (RFC 7515, section 2). */
export function encodeBase64url(data: string | Uint8Array): string {
  if (typeof data !== 'string') {
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64url');
  }
  // A character takes at most three bytes of UTF-8.
  const bytes = data.length * 3 > scratch.length ? octets(data.length * 3) : scratch;
  return bytes.base64urlSlice(0, bytes.utf8Write(data, 0, bytes.length));
}

/**
 * Decodes canonical base64url; undefined for anything else.
 *
 * Buffer skips what it does not know, so two texts may hold the same bytes. Encoding the bytes again and
 * comparing refuses padding, whitespace, other alphabets and unused bits at once (RFC 4648, section 3.5).
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** The same into memory that is there already; undefined also for what does not fit. */
export function decodeBase64urlInto(memory: Scratch, text: string): Buffer | undefined {
  const { octets: bytes } = memory;
  const length = bytes.base64urlWrite(text, 0, bytes.length);
  return bytes.base64urlSlice(0, length) === text ? memory.first(length) : undefined;
}

/** Decodes canonical base64url whose bytes are UTF-8 text; undefined for anything else. */
export function decodeBase64urlText(encoded: string): string | undefined {
  const bytes = encoded.length > scratch.length ? octets(encoded.length) : scratch;
  const length = bytes.base64urlWrite(encoded, 0, bytes.length);
  if (bytes.base64urlSlice(0, length) !== encoded) return undefined;
  const text = bytes.utf8Slice(0, length);
  // Bytes that are no UTF-8 become U+FFFD, which an honest text may hold too.
  return text.includes('\uFFFD') && !isUtf8(bytes.subarray(0, length)) ? undefined : text;
}
