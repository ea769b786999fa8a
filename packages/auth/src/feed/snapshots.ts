import { signJwt } from '@sallyport/jwt';
import type { SigningKeys } from '../keys/signing-keys.ts';
import type { Clock } from '../ports.ts';
import type { Store } from '../stores/store.ts';
import type { ElapsedTime, Instant } from './elapsed.ts';
import type { FeedTail } from './feed-tail.ts';
import { feedHashKey } from './hash-key.ts';
import { LiveEntries } from './live-entries.ts';
import { writeSnapshot } from './snapshot.ts';

/** How old a snapshot may be, in seconds, before its proof is made again though nothing has changed. */
const longestUse = 300;

/** After how many entries those that have expired are looked for, whether somebody asks for snapshots or not. */
const sweepEvery = 16_384;

/** Everything that is alive, at one position of the log. */
export interface FeedSnapshot {
  readonly incarnation: string;
  readonly head: number;
  /** In pieces, to be sent one after the other. */
  readonly chunks: readonly Uint8Array[];
  /** In bytes. */
  readonly length: number;
  /** Milliseconds since the database last said that its log ends there. */
  readonly age: number;
}

/** What snapshots are made with. */
export interface SnapshotDependencies {
  readonly store: Pick<Store, 'changes'>;
  readonly keys: Pick<SigningKeys, 'signingKey'>;
  readonly tail: FeedTail;
  readonly issuer: string;
  readonly secret: Uint8Array;
  readonly clock: Clock;
  readonly elapsed: ElapsedTime;
}

type WrittenSnapshot = Omit<FeedSnapshot, 'age'> & {
  readonly keyId: string | undefined;
  readonly writtenAt: number;
  readonly confirmedAt: Instant;
};

/** Makes snapshots: one for each position of the log that somebody asks for, however many do. */
export class Snapshots {
  readonly #dependencies: SnapshotDependencies;
  #entries: Promise<LiveEntries> | undefined;
  #written: WrittenSnapshot | undefined;
  #writing: Promise<WrittenSnapshot> | undefined;

  constructor(dependencies: SnapshotDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * The snapshot of a position not before the one the log is at now.
   *
   * @throws {AuthError} `store_unavailable` when there is none yet and the database is away
   */
  async current(): Promise<FeedSnapshot> {
    const { tail, elapsed } = this.#dependencies;
    // While the database is away, what is known is of some use, and says how old it is.
    await tail.confirm().catch(() => undefined);
    const { head } = tail.position;
    let snapshot = await this.#usable();
    while (snapshot === undefined || (snapshot.head < head && !this.#isOf(snapshot))) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
      snapshot = await this.#writing;
    }
    const isLatest = this.#isOf(snapshot);
    return { ...snapshot, age: Math.ceil(isLatest ? tail.age : elapsed.since(snapshot.confirmedAt)) };
  }

  /** What was read so far does not go on. */
  forget(): void {
    this.#entries = undefined;
    this.#written = undefined;
  }

  #isOf({ incarnation, head }: WrittenSnapshot): boolean {
    const { position } = this.#dependencies.tail;
    return incarnation === position.incarnation && head === position.head;
  }

  /** The last one, while nothing has come since and its proof is of the key that signs. */
  async #usable(): Promise<WrittenSnapshot | undefined> {
    const written = this.#written;
    if (written === undefined || !this.#isOf(written)) return undefined;
    const { keys, tail } = this.#dependencies;
    const key = await keys.signingKey(tail.position.head).catch(() => undefined);
    // Without the database no other could be made.
    if (key === undefined) return written;
    return key.keyId === written.keyId && this.#now() - written.writtenAt < longestUse ? written : undefined;
  }

  async #write(): Promise<WrittenSnapshot> {
    const { tail, keys, issuer, secret } = this.#dependencies;
    const loading = this.#live();
    const entries = await loading;
    const key = await keys.signingKey(tail.position.head);
    // The log began anew meanwhile.
    if (this.#entries !== loading) return this.#write();
    const { incarnation, head, tokenLifetime } = tail.position;
    const { confirmedAt } = tail;
    const issuedAt = this.#now();
    entries.sweep(issuedAt);
    const claims = { iss: issuer, iat: issuedAt, inc: incarnation, head };
    const chunks = await writeSnapshot({
      header: { issuer, incarnation, head, issuedAt, hashKey: feedHashKey(secret, incarnation), tokenLifetime },
      blocks: entries.blocks,
      others: entries.others,
      prove: (sha256) => signJwt({ ...claims, sha256 }, key, { typ: 'feed-snapshot+jwt' }),
    });
    const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    const snapshot = { incarnation, head, chunks, length, keyId: key.keyId, writtenAt: issuedAt, confirmedAt };
    this.#written = snapshot;
    return snapshot;
  }

  /** Reads what is alive once; from then on the tail tells what comes. */
  #live(): Promise<LiveEntries> {
    this.#entries ??= this.#load().catch((error: unknown) => {
      this.forget();
      throw error;
    });
    return this.#entries;
  }

  async #load(): Promise<LiveEntries> {
    const { store, tail, secret } = this.#dependencies;
    const { incarnation, head } = tail.position;
    const entries = new LiveEntries(feedHashKey(secret, incarnation));
    let added = 0;
    const stop = tail.listen({
      onEntries: (changes) => {
        for (const change of changes) entries.add(change);
        added += changes.length;
        if (added < sweepEvery) return;
        added = 0;
        entries.sweep(this.#now());
      },
      onRestart: () => {
        stop();
        this.forget();
      },
    });
    try {
      await entries.load(store.changes, head, this.#now());
      return entries;
    } catch (error) {
      stop();
      throw error;
    }
  }

  #now(): number {
    return Math.floor(this.#dependencies.clock().getTime() / 1000);
  }
}
