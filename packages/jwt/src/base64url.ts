/** Encodes bytes, or the UTF-8 bytes of a text, as base64url without padding (RFC 7515, section 2). */
export function encodeBase64url(data: string | Uint8Array): string {
  const bytes =
    typeof data === 'string' ? Buffer.from(data, 'utf8') : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return bytes.toString('base64url');
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
