import * as z from 'zod';
import { HttpError } from '../http-error.ts';
import { type Operation, type OperationContext, defineOperation } from '../operation.ts';
import { presentedToken } from '../schemas.ts';

const revocationRequest = z
  .strictObject({
    token: presentedToken.meta({ description: 'An access token or a refresh token.' }),
    token_type_hint: z
      .string()
      .optional()
      .meta({ description: 'Accepted and ignored: either kind is recognised.', examples: [''] }),
  })
  .meta({ id: 'RevocationRequest' });

const nothing = z.strictObject({}).meta({ id: 'Empty' });

/**
 * `POST /token/revoke`
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009.html#section-2 RFC 7009, section 2}
 */
export const revokeToken: Operation = defineOperation({
  id: 'revokeToken',
  tag: 'Tokens',
  summary: 'End the session a token belongs to (RFC 7009)',
  description:
    'Whoever holds a token may revoke it. The whole session ends: its access tokens stop working at once. A token that ' +
    'is unknown is not an error. Without a body, the bearer token of the request is the one to revoke.',
  errors: 'oauth',
  takesBearer: true,
  body: {
    schema: revocationRequest.optional(),
    mediaTypes: ['application/x-www-form-urlencoded', 'application/json'],
  },
  success: { status: 200, description: 'The token does not work (any more)', schema: nothing },
  refusals: ['request_invalid'],
  handle: async (context) => {
    await context.auth.revoke(context.body?.token ?? (await readOwnToken(context)));
    return {};
  },
});

// The bearer is verified first: with no token in the body, a bad one is a failed sign-in (401), not an unknown token (200).
async function readOwnToken({
  request,
  authenticate,
}: Pick<OperationContext<undefined>, 'request' | 'authenticate'>): Promise<string> {
  const authorization = request.headers.get('authorization');
  if (authorization === null) throw new HttpError('request_invalid', { reason: 'token is missing' });
  await authenticate();
  return authorization.slice('Bearer '.length);
}
