import type { FeedCredential, GuardPing } from '@sallyport/auth';
import * as z from 'zod';
import { HttpError } from '../http-error.ts';
import { readJsonSequence } from '../json-sequence.ts';
import { type Operation, type OperationContext, defineOperation } from '../operation.ts';
import { cursor, guardName } from './feed-fields.ts';

const ping = z
  .strictObject({
    guard: guardName,
    n: z.int().min(0).meta({ description: 'Comes back in `echo`.' }),
    cursor: cursor.meta({ description: 'How far the guard has come: its acknowledgement.' }),
    echo: z.boolean().optional().meta({ description: 'Whether an echo is asked for. Default: `true`.' }),
    leaving: z.boolean().optional().meta({ description: 'The guard stops, and grants no more. Default: `false`.' }),
  })
  .meta({ id: 'FeedPing' });

/** `POST /feed/ping` */
export const pingFeed: Operation<FeedCredential> = defineOperation({
  id: 'pingFeed',
  tag: 'Feed',
  summary: 'Ask for an echo in the stream, behind all entries; acknowledge the cursor',
  body: { schema: ping, mediaTypes: ['application/json'] },
  success: { status: 204, description: 'It is known, and the echo on its way if one was asked for' },
  refusals: ['feed_stream_elsewhere'],
  isRoutine: () => true,
  handle: ({ body, ...context }) => take(body, context),
});

/** `POST /feed/pings` */
export const sendFeedPings: Operation<FeedCredential> = defineOperation({
  id: 'sendFeedPings',
  tag: 'Feed',
  summary: 'Send pings one after the other, in one request that goes on',
  description:
    'A sequence of JSON (RFC 7464), each record what `POST /feed/ping` takes: on a line of its own, behind a record separator, ' +
    'at most 1 KiB. Each is heard as soon as it has come. Servers want a request to have arrived whole after 30 seconds: end it ' +
    'before, and begin another one.',
  records: ping,
  success: { status: 204, description: 'All of them are known' },
  refusals: ['feed_stream_elsewhere'],
  isRoutine: () => true,
  handle: async ({ request, ...context }) => {
    for await (const each of readJsonSequence(request, ping)) await take(each, context);
  },
});

type Taking = Pick<OperationContext<FeedCredential>, 'auth' | 'caller'>;

async function take(sent: Omit<GuardPing, 'credential'>, { auth, caller }: Taking): Promise<void> {
  if (!(await auth.feed.ping({ ...sent, credential: caller }))) throw new HttpError('feed_stream_elsewhere', {});
}
