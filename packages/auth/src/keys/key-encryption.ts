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
  readonly #previous: KeyObject | undefined;
  readonly #random: Random;

  /** @param previous an earlier secret: what it encrypted can be read, nothing is encrypted with it */
  constructor(secret: Uint8Array, random: Random, previous?: Uint8Array) {
    this.#key = deriveKey(secret);
    this.#previous = previous === undefined ? undefined : deriveKey(previous);
    this.#random = random;
  }

  encrypt(keyId: string, plaintext: string): string {
    const nonce = this.#random.bytes(nonceBytes);
    const encryption = createCipheriv(cipher, this.#key, nonce).setAAD(Buffer.from(keyId));
    const ciphertext = Buffer.concat([encryption.update(plaintext, 'utf8'), encryption.final()]);
    return Buffer.concat([nonce, encryption.getAuthTag(), ciphertext]).toString('base64url');
  }

  /** The plaintext; undefined when it was encrypted under yet another secret or was changed since. */
  decrypt(keyId: string, encrypted: string): string | undefined {
    const plaintext = decrypt(this.#key, keyId, encrypted);
    if (plaintext !== undefined || this.#previous === undefined) return plaintext;
    return decrypt(this.#previous, keyId, encrypted);
  }

  /** The same under the present secret; undefined when it is that already, or cannot be read. */
  renew(keyId: string, encrypted: string): string | undefined {
    const plaintext = this.#previous && decrypt(this.#previous, keyId, encrypted);
    return plaintext === undefined ? undefined : this.encrypt(keyId, plaintext);
  }
}

function deriveKey(secret: Uint8Array): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'sallyport signing keys at rest 1', 32)));
}

function decrypt(key: KeyObject, keyId: string, encrypted: string): string | undefined {
  const bytes = Buffer.from(encrypted, 'base64url');
  try {
    const decryption = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes))
      .setAAD(Buffer.from(keyId))
      .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    return decryption.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decryption.final('utf8');
  } catch {
    return undefined;
  }
}
