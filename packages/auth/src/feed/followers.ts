import { AuthError } from '../errors.ts';
import type { Ending, FeedStream } from './feed-stream.ts';

/** How many guards one process speaks with at most. */
const mostFollowers = 4_096;

/** How long a guard may leave what it was told unread before it is cut off, and how often that is looked at, in milliseconds. */
const longestStall = 30_000;
const stallInterval = 5_000;

/** A place among the followers, to be given back. */
export interface Seat {
  readonly leave: () => void;
}

/** Everybody in this process who is being told what comes. */
export class Followers {
  readonly #streams = new Set<FeedStream>();
  #seats = 0;
  #looking: NodeJS.Timeout | undefined;

  /** Takes a place before anything is done for a guard. @throws {AuthError} `feed_full` */
  take(): Seat {
    if (this.#seats >= mostFollowers) {
      throw new AuthError('feed_full', 'as many guards follow the feed as one process serves', { retryAfter: 1 });
    }
    this.#seats += 1;
    let isTaken = true;
    return {
      leave: () => {
        if (isTaken) this.#seats -= 1;
        isTaken = false;
      },
    };
  }

  add(stream: FeedStream): void {
    this.#streams.add(stream);
    this.#looking ??= setInterval(() => this.#cutStalled(), stallInterval).unref();
  }

  remove(stream: FeedStream): void {
    this.#streams.delete(stream);
  }

  /** Lets everybody look whether there is something to say. */
  wake(): void {
    for (const stream of this.#streams) stream.wake();
  }

  end(ending: Ending, which: (stream: FeedStream) => boolean = () => true): void {
    for (const stream of this.#streams) if (which(stream)) stream.end(ending);
  }

  stop(): void {
    clearInterval(this.#looking);
    this.end('bye');
  }

  #cutStalled(): void {
    this.end('cut', ({ stalledFor }) => stalledFor > longestStall);
  }
}
