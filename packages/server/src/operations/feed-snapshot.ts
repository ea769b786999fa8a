import { type FeedCredential, type FeedSnapshot, formatCursor } from '@sallyport/auth';
import { type Operation, defineOperation } from '../operation.ts';

const MEDIA_TYPE = 'application/vnd.sallyport.feed-snapshot';

/** `GET /feed/snapshot` */
export const readFeedSnapshot: Operation<FeedCredential> = defineOperation({
  id: 'readFeedSnapshot',
  tag: 'Feed',
  summary: 'Take everything that is alive, with a proof',
  description:
    'A binary document (docs/feed-protocol.md). `X-Age` says how many milliseconds ago it was known to be complete.',
  success: {
    status: 200,
    description: 'The snapshot of one position of the log',
    mediaType: MEDIA_TYPE,
    cacheControl: 'private, no-cache',
    others: [{ status: 304, description: 'The log is still where the `If-None-Match` of the request says' }],
  },
  handle: async ({ auth, request }) => {
    const snapshot = await auth.feed.snapshot();
    const tag = `"${formatCursor({ incarnation: snapshot.incarnation, sequence: snapshot.head })}"`;
    const headers = { etag: tag, 'x-age': String(snapshot.age), 'cache-control': 'private, no-cache' };
    if (isUnchanged(request, tag)) return new Response(null, { status: 304, headers });
    return new Response(inPieces(snapshot), {
      headers: { ...headers, 'content-type': MEDIA_TYPE, 'content-length': String(snapshot.length) },
    });
  },
});

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110.html#section-13.1.2 RFC 9110, section 13.1.2} */
function isUnchanged({ headers }: Request, tag: string): boolean {
  const tags = (headers.get('if-none-match') ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  return tags.includes(tag) || tags.includes('*');
}

function inPieces({ chunks }: FeedSnapshot): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const chunk = chunks[next];
        next += 1;
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
}
