import type { Change } from '../changes/change.ts';
import { steadyTime } from '../ports.ts';
import type { FeedCredential } from './feed-credential.ts';
import type { FeedCursor } from './feed-cursor.ts';
import type { FeedTail } from './feed-tail.ts';
import type { FollowingGuard, Presence } from './presence.ts';

/** What a server says of itself before anything else. */
export interface FeedHello {
  readonly incarnation: string;
  readonly head: number;
  readonly hashKey: Uint8Array;
  /** The longest life an access token was ever issued with, in seconds. */
  readonly tokenLifetime: number;
  /** The server process. */
  readonly node: string;
}

/** What happens on a stream, in order. */
export type FeedEvent =
  | { readonly type: 'hello'; readonly hello: FeedHello }
  | { readonly type: 'entries'; readonly incarnation: string; readonly entries: readonly Change[] }
  /** Answers ping `n`: `age` milliseconds ago the log ended at `head`. */
  | { readonly type: 'echo'; readonly n: number; readonly head: number; readonly age: number }
  /** The cursor cannot be continued. The last event. */
  | { readonly type: 'resync' }
  /** The process stops: come back elsewhere after `retry` milliseconds. The last event. */
  | { readonly type: 'bye'; readonly retry: number };

/** What a guard says of itself to its stream. */
export interface StreamPing {
  readonly n: number;
  /** How far it has come: its acknowledgement. */
  readonly cursor: FeedCursor;
  /** Whether it is to be answered. Default: it is; otherwise it does no more than acknowledge. */
  readonly echo?: boolean | undefined;
}

/** How soon a guard had better look for another server, in milliseconds. */
const retry = 250;

/** Why a stream has no more to say: with a last word, or without one where nobody would hear it. */
export type Ending = 'bye' | 'resync' | 'cut';

/** What a stream works with. */
export interface StreamParts {
  readonly tail: FeedTail;
  readonly presence: Presence;
  readonly guard: FollowingGuard;
  readonly credential: FeedCredential;
  readonly hello: FeedHello;
  /** Where to go on; undefined when that is not possible. */
  readonly from: FeedCursor | undefined;
  readonly onClose: () => void;
}

/**
 * What one guard is told. It is asked for, never pushed: a guard that does not read costs one number, not a queue, and gets
 * everything in larger pieces when it does.
 */
export class FeedStream {
  readonly credential: FeedCredential;
  readonly #parts: StreamParts;
  readonly #incarnation: string;
  #position: number;
  #greeting: FeedHello | undefined;
  /** The last ping that waits for its echo. Those before it are answered by that. */
  #ping: number | undefined;
  #ending: Ending | undefined;
  #wake: (() => void) | undefined;
  /** Since when nobody has asked for the next piece; undefined while somebody waits for it. */
  #idleSince: number | undefined = steadyTime();
  #isClosed = false;

  constructor(parts: StreamParts) {
    const { credential, hello, from } = parts;
    this.credential = credential;
    this.#parts = parts;
    this.#incarnation = hello.incarnation;
    this.#position = from?.sequence ?? hello.head;
    this.#greeting = hello;
    if (from === undefined) this.#ending = 'resync';
  }

  /**
   * What there is to say now, as soon as there is something; nothing after `patience` milliseconds without. Undefined when
   * the stream is over. Ask again only when that has been written. When what comes next cannot be read, it is over as well.
   *
   * @throws {AuthError} `store_unavailable`
   */
  async next(patience: number): Promise<readonly FeedEvent[] | undefined> {
    this.#idleSince = undefined;
    if (!this.#hasSomethingToSay) await this.#woken(patience);
    const events = await this.#due().catch((error: unknown) => {
      this.close();
      throw error;
    });
    this.#idleSince = steadyTime();
    return events;
  }

  /** Takes a ping in: how far the guard has come, and as a rule that it wants to hear from us behind all entries. */
  ping({ n, cursor: { incarnation, sequence }, echo = true }: StreamPing): void {
    const { presence, guard, tail } = this.#parts;
    const isOurs = incarnation === this.#incarnation && sequence <= tail.position.head;
    presence.hear(guard, isOurs ? sequence : 0);
    if (!echo) return;
    this.#ping = n;
    this.wake();
  }

  /** Looks whether there is something to say. */
  wake(): void {
    this.#wake?.();
  }

  /** Lets it say its last word. */
  end(ending: Ending): void {
    this.#ending ??= ending;
    if (ending === 'cut') this.close();
    this.wake();
  }

  /** Nobody listens any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.onClose();
    this.wake();
  }

  /** For how long, in milliseconds, nobody has wanted to hear more. */
  get stalledFor(): number {
    return this.#idleSince === undefined ? 0 : steadyTime() - this.#idleSince;
  }

  get guard(): FollowingGuard {
    return this.#parts.guard;
  }

  /** The last entry that was said. */
  get position(): number {
    return this.#position;
  }

  get #hasSomethingToSay(): boolean {
    const { head, incarnation } = this.#parts.tail.position;
    const isBehind = head > this.#position || incarnation !== this.#incarnation;
    const isOver = this.#isClosed || this.#ending !== undefined;
    return isBehind || isOver || this.#greeting !== undefined || this.#ping !== undefined;
  }

  async #due(): Promise<readonly FeedEvent[] | undefined> {
    if (this.#isClosed) return undefined;
    const greeting = this.#greet();
    if (this.#ending === undefined) {
      const news = await this.#news();
      if (this.#ending === undefined) return [...greeting, ...news];
    }
    const last = lastWords[this.#ending];
    this.close();
    return [...greeting, ...last];
  }

  #greet(): readonly FeedEvent[] {
    const hello = this.#greeting;
    this.#greeting = undefined;
    return hello === undefined ? [] : [{ type: 'hello', hello }];
  }

  /** Entries, and behind the last of them the echo. */
  async #news(): Promise<readonly FeedEvent[]> {
    const { tail } = this.#parts;
    const entries = tail.position.head > this.#position ? await tail.entriesAfter(this.#position) : [];
    if (entries === undefined || tail.position.incarnation !== this.#incarnation) {
      this.#ending ??= 'resync';
      return [];
    }
    this.#position += entries.length;
    const said: FeedEvent[] =
      entries.length === 0 ? [] : [{ type: 'entries', incarnation: this.#incarnation, entries }];
    const echo = this.#echo();
    return echo === undefined ? said : [...said, echo];
  }

  #echo(): FeedEvent | undefined {
    const { tail, presence, guard } = this.#parts;
    const [n, head] = [this.#ping, this.#position];
    if (n === undefined || head !== tail.position.head) return undefined;
    this.#ping = undefined;
    return { type: 'echo', n, head, age: Math.ceil(Math.max(tail.age, presence.ageOf(guard))) };
  }

  /** Resolves when there may be something to say, or after a while. */
  async #woken(patience: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, patience);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

const lastWords: Readonly<Record<Ending, readonly FeedEvent[]>> = {
  bye: [{ type: 'bye', retry }],
  resync: [{ type: 'resync' }],
  cut: [],
};
