import type { RefusalCode } from '@sallyport/guard';
import * as z from 'zod';
import { GuardRefusal } from '../authentication.ts';
import { carriesBearer } from '../browser-session.ts';
import { HttpError } from '../http-error.ts';
import { type Operation, type OperationContext, defineOperation } from '../operation.ts';
import { showConfirmation } from '../representations.ts';
import { confirm, confirmation, tokenFields } from '../schemas.ts';

const revocationRequest = z
  .strictObject({ ...tokenFields, confirm: confirm.optional() })
  .meta({ id: 'RevocationRequest' });

/** What the guard says of a token that is well-formed but works no more, or never did: a token to revoke all the same. */
const DEAD: ReadonlySet<RefusalCode> = new Set(['token_expired', 'token_revoked', 'token_invalid']);

const revocation = z
  .strictObject({ confirmation: confirmation.optional() })
  .meta({ id: 'Revocation', description: 'Empty unless `confirm` was sent.' });

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
    'is unknown or dead already is not an error. Without a body, the bearer token of the request is the one to revoke. ' +
    '`client_id` and `client_secret` change nothing.',
  errors: 'oauth',
  takesBearer: true,
  body: {
    schema: revocationRequest.optional(),
    mediaTypes: ['application/x-www-form-urlencoded', 'application/json'],
  },
  success: { status: 200, description: 'The token does not work (any more)', schema: revocation },
  refusals: ['request_invalid', 'store_unavailable'],
  handle: async (context) => {
    const { auth, body } = context;
    const token = body?.token ?? (await readOwnToken(context));
    if (body?.confirm === true) return { confirmation: showConfirmation(await auth.revoke(token, { confirm: true })) };
    await auth.revoke(token);
    return {};
  },
});

async function readOwnToken({
  request,
  authenticate,
}: Pick<OperationContext<undefined>, 'request' | 'authenticate'>): Promise<string> {
  // A cookie may be there as well: ending its session is for `POST /logout`.
  if (!carriesBearer(request)) throw new HttpError('request_invalid', { reason: 'token is missing' });
  try {
    await authenticate();
  } catch (error) {
    if (!(error instanceof GuardRefusal)) throw error;
    const { code } = error.refusal.body;
    if (!DEAD.has(code)) throw error;
  }
  return (request.headers.get('authorization') ?? '').slice('Bearer '.length);
}
