import type { Change } from '../changes/change.ts';
import type { FeedEvent, FeedHello, FeedStream } from './feed-stream.ts';
import type { FeedTail } from './feed-tail.ts';

/** What a guard that polls is answered. `head` is where its entries have brought it. */
export interface FeedPage extends FeedHello {
  /** Milliseconds since the database last said that its log ends at `head`. */
  readonly age: number;
  /** The cursor cannot be continued: take the snapshot. */
  readonly resync: boolean;
  readonly entries: readonly Change[];
}

/** What a stream said, until it had nothing more. */
interface ReadEvents extends Pick<FeedPage, 'entries' | 'resync'> {
  /** Whether it was cut off. */
  readonly isCut: boolean;
}

/** Reads what a stream has to say, all of it up to the head; waits if that is nothing, `wait` seconds at most. */
export async function readPage(
  stream: FeedStream,
  tail: Pick<FeedTail, 'position'>,
  wait: number,
): Promise<ReadEvents> {
  const events: FeedEvent[] = [];
  const has = (...types: readonly FeedEvent['type'][]): boolean => events.some(({ type }) => types.includes(type));
  /** Tells whether more may come. */
  const read = async (patience: number): Promise<boolean> => {
    const next = await stream.next(patience);
    events.push(...(next ?? []));
    return next !== undefined && !has('resync', 'bye');
  };
  let goesOn = await read(0);
  if (goesOn && !has('entries')) goesOn = await read(wait * 1000);
  while (goesOn && stream.position < tail.position.head) goesOn = await read(0);
  const resync = has('resync');
  const entries = events.flatMap((event) => (event.type === 'entries' ? event.entries : []));
  return { resync, entries: resync ? [] : entries, isCut: !goesOn && !has('resync', 'bye') };
}
