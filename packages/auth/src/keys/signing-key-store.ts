import type { SigningKeyRecord } from './signing-key.ts';

/** Keeps signing keys; their private halves are encrypted before they come here. */
export interface SigningKeyStore {
  list(): Promise<readonly SigningKeyRecord[]>;
  insert(key: SigningKeyRecord): Promise<void>;
  /** Replaces an encrypted private half, if it is still the one that was read. */
  replaceEncrypted(keyId: string, from: string, to: string): Promise<void>;
  /** Removes the private half of a key and keeps the rest: it signs and verifies nothing any more. */
  erase(keyId: string): Promise<void>;
  delete(keyId: string): Promise<void>;
}
