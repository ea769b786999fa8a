import { AuthError, isAuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Clock, Random } from '../ports.ts';
import type { Store } from '../stores/store.ts';
import {
  isGenuine,
  newCredential,
  parseCredential,
  toFeedCredential,
  type FeedCredential,
  type FeedCredentialRecord,
} from './feed-credential.ts';

/** What the operations on feed credentials work with. */
export interface FeedCredentialDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
}

/** What guards in other processes show to follow the feed and to ask about tokens. Made by `createAuth`. */
export class FeedCredentials {
  readonly #dependencies: FeedCredentialDependencies;
  /** As they were when they were last read. */
  #known: ReadonlyMap<string, FeedCredentialRecord> = new Map();

  constructor(dependencies: FeedCredentialDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Makes a credential. Its text is given out this once; the database keeps a hash of it.
   *
   * @throws {AuthError} `value_invalid`, `feed_credential_taken`
   */
  async create(name: string): Promise<{ readonly credential: string } & FeedCredential> {
    const { store, clock, random, emit } = this.#dependencies;
    const { credential, record } = newCredential(name, random, clock());
    const isAdded = await store.transaction((transaction) => transaction.feedCredentials.insert(record));
    if (!isAdded) throw new AuthError('feed_credential_taken', 'a feed credential has this name', {});
    emit({ type: 'feed_credential_created', at: clock(), name });
    return { credential, ...toFeedCredential(record) };
  }

  /** All credentials, by name. */
  async list(): Promise<readonly FeedCredential[]> {
    return (await this.#dependencies.store.feedCredentials.list()).map(toFeedCredential);
  }

  /**
   * Takes a credential back: it is refused at once, and what is being told to its guards ends within moments. They go on
   * granting until their leases run out.
   *
   * @throws {AuthError} `feed_credential_not_found`
   */
  async revoke(name: string): Promise<FeedCredential> {
    const { store, clock, emit } = this.#dependencies;
    const record = await store.transaction((transaction) => transaction.feedCredentials.delete(name));
    if (record === undefined) throw new AuthError('feed_credential_not_found', 'no such feed credential', {});
    emit({ type: 'feed_credential_revoked', at: clock(), name });
    return toFeedCredential(record);
  }

  /**
   * Tells whose credential this is; undefined when it is nobody's. While the database is away, those are believed that were
   * good when it was last read.
   *
   * @throws {AuthError} `store_unavailable` for one that has not been seen before
   */
  async authenticate(text: string): Promise<FeedCredential | undefined> {
    const presented = parseCredential(text);
    if (presented === undefined) return undefined;
    try {
      const record = await this.#dependencies.store.feedCredentials.find(presented.id);
      return record !== undefined && isGenuine(presented, record) ? toFeedCredential(record) : undefined;
    } catch (error) {
      const known = this.recognise(text);
      if (known === undefined || !isAuthError(error) || error.code !== 'store_unavailable') throw error;
      return known;
    }
  }

  /** The same without asking the database: by what was read last. */
  recognise(text: string): FeedCredential | undefined {
    const presented = parseCredential(text);
    const record = presented && this.#known.get(presented.id);
    return presented !== undefined && record !== undefined && isGenuine(presented, record)
      ? toFeedCredential(record)
      : undefined;
  }

  /** Reads all of them again. */
  async read(): Promise<void> {
    const records = await this.#dependencies.store.feedCredentials.list();
    this.#known = new Map(records.map((record) => [record.id, record]));
  }

  /** Whether a credential was there when they were last read. */
  isKnown({ id }: FeedCredential): boolean {
    return this.#known.has(id);
  }
}
