import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Random } from '../ports.ts';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts signing keys for the database: AES-256-GCM under a key derived from the server's secret, bound to the
 * key id so that rows cannot be swapped. Whoever steals the database signs nothing with it.
 */
export class KeyEncryption {
  readonly #key: KeyObject;
  readonly #random: Random;

  constructor(secret: Uint8Array, random: Random) {
    this.#key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'sallyport signing keys at rest 1', 32)));
    this.#random = random;
  }

  encrypt(keyId: string, plaintext: string): string {
    const nonce = this.#random.bytes(nonceBytes);
    const encryption = createCipheriv(cipher, this.#key, nonce).setAAD(Buffer.from(keyId));
    const ciphertext = Buffer.concat([encryption.update(plaintext, 'utf8'), encryption.final()]);
    return Buffer.concat([nonce, encryption.getAuthTag(), ciphertext]).toString('base64url');
  }

  /** The plaintext; undefined when it was encrypted under another secret or was changed since. */
  decrypt(keyId: string, encrypted: string): string | undefined {
    const bytes = Buffer.from(encrypted, 'base64url');
    try {
      const decryption = createDecipheriv(cipher, this.#key, bytes.subarray(0, nonceBytes))
        .setAAD(Buffer.from(keyId))
        .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      return decryption.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decryption.final('utf8');
    } catch {
      return undefined;
    }
  }
}
