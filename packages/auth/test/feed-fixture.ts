import type { Auth } from '../src/auth.ts';
import type { FeedCredential } from '../src/feed/feed-credential.ts';
import type { FeedCursor } from '../src/feed/feed-cursor.ts';
import type { FeedEvent, FeedStream } from '../src/feed/feed-stream.ts';
import type { GuardIntroduction } from '../src/feed/feed.ts';

/** How long a test waits for what must come, in milliseconds. */
const patience = 30_000;

/** A guard that follows the feed of an engine, and everything it has been told. */
export class FollowingGuardFixture {
  readonly name: string;
  readonly credential: FeedCredential;
  readonly stream: FeedStream;
  readonly events: FeedEvent[] = [];

  private constructor(introduction: GuardIntroduction, stream: FeedStream) {
    this.name = introduction.guard;
    this.credential = introduction.credential;
    this.stream = stream;
  }

  static async follow(auth: Auth, introduction: GuardIntroduction): Promise<FollowingGuardFixture> {
    return new FollowingGuardFixture(introduction, await auth.feed.follow(introduction));
  }

  /** Reads on until something holds of all that was said. */
  async until(isEnough: (guard: this) => boolean): Promise<void> {
    const end = performance.now() + patience;
    while (!isEnough(this)) {
      const next = await this.stream.next(1_000);
      if (next === undefined) throw new Error(`the stream is over: ${JSON.stringify(this.events)}`);
      this.events.push(...next);
      if (performance.now() > end) throw new Error(`nothing came: ${JSON.stringify(this.events)}`);
    }
  }

  /** Reads to the end of the stream. */
  async untilOver(): Promise<void> {
    for (let next = await this.stream.next(1_000); next !== undefined; next = await this.stream.next(1_000)) {
      this.events.push(...next);
    }
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }

  get sequences(): readonly number[] {
    return this.events
      .flatMap((event) => (event.type === 'entries' ? event.entries : []))
      .map(({ sequence }) => sequence);
  }

  get echoes(): readonly (FeedEvent & { readonly type: 'echo' })[] {
    return this.events.filter((event) => event.type === 'echo');
  }
}

/** Where the log of an engine is now. */
export async function cursorOf(auth: Auth): Promise<FeedCursor> {
  const { incarnation, head } = await auth.changes.readSince(Number.MAX_SAFE_INTEGER);
  return { incarnation, sequence: head };
}

export async function aCredential(
  auth: Auth,
  name = 'guard',
): Promise<FeedCredential & { readonly credential: string }> {
  return auth.feed.credentials.create(name);
}
