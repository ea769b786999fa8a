import crypto, { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import { octets, Scratch, type Octets } from './octets.ts';

/** A hash function and what HMAC needs to know of it, in octets (RFC 2104, section 2). */
export interface HmacHash {
  readonly name: 'sha256' | 'sha384' | 'sha512';
  readonly blockSize: number;
  readonly size: number;
}

/** Computes the MAC of ASCII text, as base64url. */
export type Mac = (input: string) => string;

/** The longest text the one-shot form takes: a token of the default length fits. */
const room = 8192;

/** A padded key and the text behind it. */
const scratch = new Scratch(128 + room);

/** The padded key that stands in it. */
let loaded: Octets | undefined;

/** The MAC under a key, in the fastest form the runtime offers. */
export function createMac(hash: HmacHash, key: KeyObject): Mac {
  return typeof crypto.hash === 'function' ? oneShotMac(hash, key) : nativeMac(hash, key);
}

/** HMAC as `node:crypto` makes it. The native object behind each call costs more than the hashing. */
export function nativeMac({ name }: HmacHash, key: KeyObject): Mac {
  return (input) => createHmac(name, key).update(input, 'latin1').digest('base64url');
}

/**
 * HMAC as two one-shot hashes: H(K ^ opad, H(K ^ ipad, text)). docs/decisions/0022 weighs it against the native form.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc2104.html#section-2 RFC 2104, section 2}
 */
export function oneShotMac(hash: HmacHash, key: KeyObject): Mac {
  const { name, blockSize, size } = hash;
  const native = nativeMac(hash, key);
  const [inner, outer] = [octets(blockSize), octets(blockSize + size)];
  padKey(hash, key, inner, outer);
  return (input) => {
    if (input.length > room) return native(input);
    if (loaded !== inner) scratch.octets.set((loaded = inner));
    const end = blockSize + scratch.octets.latin1Write(input, blockSize, input.length);
    outer.latin1Write(crypto.hash(name, scratch.first(end), 'binary'), blockSize, size);
    return crypto.hash(name, outer, 'base64url');
  };
}

/** Writes the key, padded to a block, into both buffers; the copies made on the way are wiped. */
function padKey({ name, blockSize }: HmacHash, key: KeyObject, inner: Buffer, outer: Buffer): void {
  const secret = key.export();
  const short = secret.length > blockSize ? crypto.hash(name, secret, 'buffer') : secret;
  for (let index = 0; index < blockSize; index += 1) {
    inner[index] = 0x36 ^ (short[index] ?? 0);
    outer[index] = 0x5c ^ (short[index] ?? 0);
  }
  secret.fill(0);
  short.fill(0);
}

/**
 * Compares texts of one length in constant time. What is equal to the encoded MAC is canonical, so nothing needs to be
 * decoded. The buffers are shared by all calls, which are synchronous.
 */
export function createTextComparison(length: number): (expected: string, presented: string) => boolean {
  const [one, other] = [octets(length), octets(length)];
  return (expected, presented) => {
    // As UTF-8, a character beyond ASCII takes several octets; as Latin-1 it could turn into a letter. The last one may
    // not fit, and then what was written before would be compared.
    if (presented.length !== length || other.utf8Write(presented, 0, length) !== length) return false;
    one.latin1Write(expected, 0, length);
    return timingSafeEqual(one, other);
  };
}
