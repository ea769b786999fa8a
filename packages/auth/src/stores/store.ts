import type { ChangeStore } from '../changes/change-store.ts';
import type { NewChange } from '../changes/change.ts';
import type { FeedCredentialStore } from '../feed/feed-credential-store.ts';
import type { GuardStore } from '../feed/guard-store.ts';
import type { SigningKeyStore } from '../keys/signing-key-store.ts';
import type { RoleStore } from '../roles/role-store.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { UserStore } from '../users/user-store.ts';

/** Where each domain keeps its records. */
export interface Repositories {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly roles: RoleStore;
  readonly keys: SigningKeyStore;
  readonly changes: ChangeStore;
  readonly feedCredentials: FeedCredentialStore;
  readonly guards: GuardStore;
}

/** The same, where everything happens or nothing does. */
export interface Transaction extends Repositories {
  /**
   * Adds a change to the log when the work is done. The log's head row is locked last, whatever the order of the calls:
   * that keeps the lock short, the numbers gapless and transactions free of deadlocks.
   */
  append(change: NewChange): void;
  /** Notes that tokens will be issued with this life, in seconds. Makes other transactions that do so, or append, wait. */
  raiseTokenLifetime(seconds: number): Promise<void>;
  /**
   * Gives this lineage of the database another name and lets its log go on far beyond every place that the lineage before
   * can have reached.
   */
  beginIncarnation(name: string): Promise<void>;
}

/** What a migration run did. */
export interface Migrated {
  /** The version of the schema before; 0 for an empty database. */
  readonly from: number;
  readonly to: number;
}

/** A database. Each call outside {@link Store.transaction} is a transaction of its own. */
export interface Store extends Repositories {
  /** Says where the data is, without credentials: for people. */
  readonly location: string;
  /**
   * Brings the schema up to date; safe when several processes start at once.
   *
   * @throws {AuthError} `config_invalid` when the database was written by a newer program
   */
  migrate(): Promise<Migrated>;
  /**
   * Runs `work` in one transaction and commits when it resolves. What it throws undoes everything. It may be run again
   * when another transaction was in its way: what it does outside the database has to wait until this resolves.
   */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Adds a change to the log that nothing else has to be written with. */
  append(change: NewChange): Promise<void>;
  /**
   * Calls back whenever the log may have grown, by whatever process, until the function it returns is called. A hint, not a
   * promise: calls may be missing while something is broken, and there may be some too many.
   */
  watch(wake: () => void): () => void;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
