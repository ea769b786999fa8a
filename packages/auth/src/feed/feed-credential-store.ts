import type { FeedCredentialRecord } from './feed-credential.ts';

/** Keeps feed credentials. Whatever changes here changes `LogPosition.credentialVersion` too. */
export interface FeedCredentialStore {
  /** Adds a credential; false when another one has its name. */
  insert(credential: FeedCredentialRecord): Promise<boolean>;
  find(id: string): Promise<FeedCredentialRecord | undefined>;
  /** All of them, by name. */
  list(): Promise<readonly FeedCredentialRecord[]>;
  /** Removes one; undefined when there is none of this name. */
  delete(name: string): Promise<FeedCredentialRecord | undefined>;
}
