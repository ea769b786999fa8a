import { AuthError } from '@sallyport/auth';
import * as z from 'zod';
import { type Operation, defineOperation } from '../operation.ts';

const status = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Status' });

const RETRY_AFTER_SECONDS = 5;

const OK = { status: 'ok' } as const;

/** `GET /livez` */
export const readLiveness: Operation = defineOperation({
  id: 'readLiveness',
  tag: 'Health',
  summary: 'Whether the process is up',
  success: { status: 200, description: 'It is', schema: status },
  handle: async () => OK,
});

/** `GET /readyz` */
export const readReadiness: Operation = defineOperation({
  id: 'readReadiness',
  tag: 'Health',
  summary: 'Whether the database can be reached and a signing key is loaded',
  success: { status: 200, description: 'Ready for requests', schema: status },
  refusals: ['store_unavailable'],
  handle: async ({ auth }) => {
    try {
      await auth.ready();
    } catch (cause) {
      // Whatever is wrong, the one answer of use to a load balancer is "not now".
      throw new AuthError('store_unavailable', 'not ready', { retryAfter: RETRY_AFTER_SECONDS }, { cause });
    }
    return OK;
  },
});
