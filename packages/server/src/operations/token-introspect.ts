import type { FeedCredential } from '@sallyport/auth';
import type { Access } from '@sallyport/guard';
import * as z from 'zod';
import { type Operation, defineOperation } from '../operation.ts';
import { tokenFields } from '../schemas.ts';

const introspectionRequest = z.strictObject(tokenFields).meta({ id: 'IntrospectionRequest' });

const introspection = z
  .looseObject({ active: z.boolean() })
  .meta({ id: 'Introspection', description: 'A token that is not live is exactly `{"active": false}`.' });

/**
 * `POST /token/introspect`
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662.html#section-2 RFC 7662, section 2}
 */
export const introspectToken: Operation<Access | FeedCredential> = defineOperation({
  id: 'introspectToken',
  tag: 'Tokens',
  summary: 'Ask whether a token is live (RFC 7662)',
  description:
    'The caller is known by its access token, or by the feed credential of a guard; `client_id` and `client_secret` change nothing.',
  errors: 'oauth',
  body: { schema: introspectionRequest, mediaTypes: ['application/x-www-form-urlencoded', 'application/json'] },
  success: { status: 200, description: 'What the token says, if it is live', schema: introspection },
  handle: async ({ auth, body }) => ({ ...(await auth.introspect(body.token)) }),
});
