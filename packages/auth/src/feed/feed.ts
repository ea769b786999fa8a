import type { LogPosition } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { randomId, steadyTime, type Clock, type Random } from '../ports.ts';
import type { Store } from '../stores/store.ts';
import { ElapsedTime } from './elapsed.ts';
import type { FeedCredential } from './feed-credential.ts';
import type { FeedCredentials } from './feed-credentials.ts';
import type { FeedCursor } from './feed-cursor.ts';
import { readPage, type FeedPage } from './feed-page.ts';
import { FeedStream, type FeedHello, type StreamPing } from './feed-stream.ts';
import { FeedTail, type Restart } from './feed-tail.ts';
import { Followers } from './followers.ts';
import { feedHashKey } from './hash-key.ts';
import { Presence } from './presence.ts';
import { Snapshots, type FeedSnapshot } from './snapshots.ts';

/** What the feed works with. */
export interface FeedDependencies {
  readonly store: Store;
  readonly keys: Pick<SigningKeys, 'signingKey'>;
  readonly credentials: FeedCredentials;
  readonly issuer: string;
  readonly secret: Uint8Array;
  /** The time of all servers. */
  readonly clock: Clock;
  /** The clock of this computer as it is: it shows when the computer has slept. */
  readonly ownClock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
}

/** Who wants to be told what comes. */
export interface GuardIntroduction {
  readonly credential: FeedCredential;
  /** The name the guard has given itself. */
  readonly guard: string;
  /** How long it goes on granting without an answer, in seconds. */
  readonly lease: number;
  /** How far it has come; undefined when it knows nothing yet. */
  readonly cursor: FeedCursor | undefined;
}

/** A sign of life of a guard. */
export interface GuardPing extends StreamPing {
  readonly credential: FeedCredential;
  readonly guard: string;
  /** Whether the guard stops: it grants no more, and nobody waits for it. */
  readonly leaving?: boolean | undefined;
}

/**
 * Hands the change log on to guards in other processes, as docs/feed-protocol.md says, without the HTTP. It sleeps until
 * somebody asks for it. Made by `createAuth`.
 */
export class Feed {
  readonly credentials: FeedCredentials;
  readonly #dependencies: FeedDependencies;
  readonly #node: string;
  readonly #tail: FeedTail;
  readonly #presence: Presence;
  readonly #snapshots: Snapshots;
  readonly #followers = new Followers();
  /** By the guard's id: the one stream that its pings are answered in. */
  readonly #streams = new Map<string, FeedStream>();
  #opening: Promise<void> | undefined;
  #credentialVersion: number | undefined;
  #isStopped = false;

  constructor(dependencies: FeedDependencies) {
    const { store, clock, ownClock, random, credentials } = dependencies;
    const elapsed = new ElapsedTime(steadyTime, ownClock);
    this.#dependencies = dependencies;
    this.credentials = credentials;
    this.#node = randomId(random);
    this.#tail = new FeedTail({ store, elapsed, onRestart: (...facts) => this.#reportRestart(...facts) });
    this.#presence = new Presence({ store, clock, elapsed, node: this.#node, confirm: () => this.#tail.confirm() });
    this.#snapshots = new Snapshots({ ...dependencies, elapsed, tail: this.#tail });
    this.#listen();
  }

  /**
   * Opens the stream of a guard, and ends the one it had here before.
   *
   * @throws {AuthError} `feed_full`; `store_unavailable` when nothing has been read yet
   */
  async follow(introduction: GuardIntroduction): Promise<FeedStream> {
    const id = guardId(introduction);
    const stream = await this.#open(introduction, id, (closed) => {
      if (this.#streams.get(id) !== closed) return;
      this.#streams.delete(id);
      this.#presence.leave(closed.guard);
    });
    const before = this.#streams.get(id);
    this.#streams.set(id, stream);
    before?.end('cut');
    return stream;
  }

  /**
   * Answers a guard that polls: at once when there is something after its cursor, else when something comes, at the latest
   * after `wait` seconds.
   *
   * @throws {AuthError} `feed_full`, `feed_credential_invalid`; `store_unavailable` when nothing has been read yet
   */
  async poll(introduction: GuardIntroduction, wait: number, signal?: AbortSignal): Promise<FeedPage> {
    const stream = await this.#open(introduction, guardId(introduction), () => undefined);
    const hangUp = (): void => stream.close();
    signal?.addEventListener('abort', hangUp, { once: true });
    try {
      if (signal?.aborted === true) hangUp();
      const { entries, resync, isCut } = await readPage(stream, this.#tail, wait);
      if (isCut && signal?.aborted !== true) {
        throw new AuthError('feed_credential_invalid', 'the credential has been revoked', {});
      }
      const age = Math.ceil(Math.max(this.#tail.age, this.#presence.ageOf(stream.guard)));
      return { ...this.#hello(), head: resync ? this.#tail.position.head : stream.position, age, resync, entries };
    } finally {
      signal?.removeEventListener('abort', hangUp);
      stream.close();
    }
  }

  /** Takes a ping in, to be answered in the guard's stream if it asks for that; false when that is not here. */
  async ping({ leaving = false, ...ping }: GuardPing): Promise<boolean> {
    const stream = this.#streams.get(guardId(ping));
    if (stream === undefined) return false;
    if (leaving) {
      stream.end('cut');
      await this.#presence.dismiss(stream.guard);
    } else stream.ping(ping);
    return true;
  }

  /**
   * Everything that is alive, as one document with a proof.
   *
   * @throws {AuthError} `store_unavailable` when nothing has been read yet
   */
  async snapshot(): Promise<FeedSnapshot> {
    await this.#ready();
    return this.#snapshots.current();
  }

  /** The last entry that every guard has applied that this process speaks with; `Infinity` where there is none. */
  get placeHere(): number {
    return this.#presence.place;
  }

  /** The last entry that this process has read; 0 while it reads none. */
  get readUpTo(): number {
    return this.#tail.head;
  }

  /** Where the end of a session stands that somebody waits for, if this process has read it lately, and after an entry. */
  placeOfEnd(sessionId: string, after: number): number | undefined {
    return this.#tail.placeOfEnd(sessionId, after);
  }

  /** Tells everybody to go elsewhere, and follows the log no more. */
  stop(): void {
    this.#isStopped = true;
    this.#followers.stop();
    this.#presence.stop();
    this.#tail.stop();
  }

  async #open(
    { credential, lease, cursor }: GuardIntroduction,
    id: string,
    onClose: (stream: FeedStream) => void,
  ): Promise<FeedStream> {
    const seat = this.#followers.take();
    try {
      await this.#ready();
      const place = await this.#placeOf(cursor);
      // A place in another lineage is none in this one, and no more is one beyond its end.
      const guard = await this.#presence.enter(id, lease * 1000, place?.sequence ?? 0);
      const stream: FeedStream = new FeedStream({
        tail: this.#tail,
        presence: this.#presence,
        guard,
        credential,
        hello: this.#hello(),
        // The log may have begun anew meanwhile.
        from: this.#inLog(place),
        onClose: () => {
          this.#followers.remove(stream);
          seat.leave();
          onClose(stream);
        },
      });
      this.#followers.add(stream);
      if (this.#isStopped) stream.end('bye');
      return stream;
    } catch (error) {
      seat.leave();
      throw error;
    }
  }

  /** Where a guard can go on. A place beyond the head may be one that others have read already. */
  async #placeOf(cursor: FeedCursor | undefined): Promise<FeedCursor | undefined> {
    if (cursor === undefined) return undefined;
    if (cursor.sequence > this.#tail.position.head) await this.#tail.confirm().catch(() => undefined);
    return this.#inLog(cursor);
  }

  #inLog(place: FeedCursor | undefined): FeedCursor | undefined {
    const { incarnation, head } = this.#tail.position;
    return place?.incarnation === incarnation && place.sequence <= head ? place : undefined;
  }

  #hello(): FeedHello {
    const { incarnation, head, tokenLifetime } = this.#tail.position;
    const hashKey = feedHashKey(this.#dependencies.secret, incarnation);
    return { incarnation, head, hashKey, tokenLifetime, node: this.#node };
  }

  /** Begins to follow the log when the first guard comes. */
  #ready(): Promise<void> {
    this.#opening ??= this.#begin().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #begin(): Promise<void> {
    if (this.#isStopped) throw new AuthError('store_unavailable', 'the feed has stopped', { retryAfter: 1 });
    await this.#tail.start();
    await this.#readCredentials(this.#tail.position);
  }

  #listen(): void {
    this.#tail.listen({
      onEntries: (changes) => {
        this.#presence.noteAwaited(changes);
        this.#followers.wake();
      },
      onRestart: () => {
        this.#presence.forgetPlaces();
        this.#followers.end('resync');
      },
      onConfirm: (position) => {
        if (position.credentialVersion === this.#credentialVersion) return;
        // It is tried again with the next look at the log.
        this.#readCredentials(position).catch(() => undefined);
      },
    });
  }

  async #readCredentials({ credentialVersion }: LogPosition): Promise<void> {
    await this.credentials.read();
    this.#credentialVersion = credentialVersion;
    this.#followers.end('cut', ({ credential }) => !this.credentials.isKnown(credential));
  }

  #reportRestart(restart: Restart, from: LogPosition, to: LogPosition): void {
    const { emit, clock } = this.#dependencies;
    emit({ type: 'change_log_restarted', at: clock(), reason: restart, from: from.head, to: to.head });
  }
}

function guardId({ credential, guard }: Pick<GuardIntroduction, 'credential' | 'guard'>): string {
  return `${credential.id}.${guard}`;
}
