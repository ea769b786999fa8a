import {
  type FeedCredential,
  type FeedCursor,
  type FeedPage,
  type FeedStream,
  parseCursor,
  toFeedEntry,
} from '@sallyport/auth';
import * as z from 'zod';
import { createEventStream } from '../event-stream.ts';
import { FeedText, type HelloBody, showHello } from '../feed-text.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { cursor, guardName, lease, wait } from './feed-fields.ts';

/** How long a stream stays silent at most, in milliseconds: less than what proxies wait for. */
const KEEP_ALIVE = 15_000;

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Neither kept nor compressed on the way, which would hold it back.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const;

const followQuery = z.strictObject({
  cursor: cursor.optional().meta({ description: 'How far the guard has come. Without it: take the snapshot first.' }),
  guard: guardName,
  lease,
  poll: wait.optional().meta({
    description: 'Answer with JSON, after so many seconds at the latest. Default: answer with a stream of events.',
  }),
});

interface PageBody extends HelloBody {
  readonly age: number;
  readonly resync: boolean;
  readonly entries: readonly unknown[];
}

const page: z.ZodType<PageBody> = z
  .strictObject({
    v: z.int(),
    min: z.int(),
    inc: z.string(),
    head: z.int(),
    hash_key: z.string().meta({ description: '16 hexadecimal digits.' }),
    token_lifetime: z.int(),
    node: z.string(),
    age: z.int().meta({ description: 'Milliseconds since the database last said that its log ends at `head`.' }),
    resync: z.boolean().meta({ description: 'The cursor cannot be continued: take the snapshot.' }),
    entries: z.array(z.array(z.unknown())).meta({ description: '`[sequence, kind, key, expires_at, flags, data?]`' }),
  })
  .meta({ id: 'FeedPage' });

const text = new FeedText();

/** `GET /feed` */
export const readFeed: Operation<FeedCredential> = defineOperation({
  id: 'readFeed',
  tag: 'Feed',
  summary: 'Follow what guards must know, as a stream or by polling',
  description:
    'Server-sent events `hello`, `c`, `echo`, `resync` and `bye`; or, with `poll`, one JSON document. docs/feed-protocol.md says ' +
    'what they mean and what a guard makes of them.',
  query: followQuery,
  success: {
    status: 200,
    description: 'Everything after the cursor, as it comes',
    mediaType: 'text/event-stream',
    others: [{ status: 200, description: 'What there is now', mediaType: 'application/json', schema: page }],
  },
  refusals: ['feed_full'],
  isRoutine: ({ search }) => search.includes('poll='),
  handle: async ({ auth, caller, request, query, reportFailure }) => {
    const { guard, lease: seconds, poll } = query;
    const introduction = { credential: caller, guard, lease: seconds, cursor: query.cursor ?? lastEventId(request) };
    if (poll !== undefined) return Response.json(showPage(await auth.feed.poll(introduction, poll, request.signal)));
    // Nobody would read the stream that answers HEAD.
    if (request.method === 'HEAD') return new Response(null, { headers: STREAM_HEADERS });
    return createEventStream(streamBody(await auth.feed.follow(introduction), reportFailure), STREAM_HEADERS);
  },
});

function streamBody(stream: FeedStream, reportFailure: (error: unknown) => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        // Thrown, it would be printed past the log, and its message be sent to the guard.
        const events = await stream.next(KEEP_ALIVE).catch(reportFailure);
        if (events === undefined) controller.close();
        else controller.enqueue(text.write(events));
      },
      cancel: () => stream.close(),
    },
    // Nothing is fetched before somebody reads it.
    { highWaterMark: 0 },
  );
}

function showPage({ age, resync, entries, ...hello }: FeedPage): PageBody {
  return { ...showHello(hello), age, resync, entries: entries.map(toFeedEntry) };
}

/** Where a browser's `EventSource` left off. What is no cursor counts for nothing. */
function lastEventId({ headers }: Request): FeedCursor | undefined {
  return parseCursor(headers.get('last-event-id') ?? '');
}
