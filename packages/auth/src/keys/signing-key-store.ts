import type { SigningKeyRecord } from './signing-key.ts';

/** Keeps signing keys; their private halves are encrypted before they come here. */
export interface SigningKeyStore {
  list(): Promise<readonly SigningKeyRecord[]>;
  insert(key: SigningKeyRecord): Promise<void>;
}
