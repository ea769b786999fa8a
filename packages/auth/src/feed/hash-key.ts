import { hkdfSync } from 'node:crypto';

/** How long the key of HalfSipHash is, in bytes. */
const length = 8;

/**
 * The key by which guards and servers shorten names: every server of one secret has the same, and another one when the
 * database has been restored. Nobody who lacks it can choose names that collide.
 */
export function feedHashKey(secret: Uint8Array, incarnation: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, incarnation, 'sallyport feed hash key 1', length));
}
