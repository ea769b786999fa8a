import * as z from 'zod';
import { requireGrantType } from '../grant-type.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { showTokens } from '../representations.ts';
import { clientFields, presentedToken, scope, tokenResponse } from '../schemas.ts';

const grantTypes = ['refresh_token'] as const;

const refreshRequest = z
  .strictObject({
    grant_type: z.enum(grantTypes).optional(),
    refresh_token: presentedToken,
    scope: scope.optional(),
    ...clientFields,
  })
  .meta({ id: 'RefreshRequest' });

/** `POST /token/refresh`: the token endpoint's `refresh_token` grant under an address of its own. */
export const refreshToken: Operation = defineOperation({
  id: 'refreshToken',
  tag: 'Tokens',
  summary: 'Exchange a refresh token for a new pair',
  description:
    'Each refresh token is used once. Presented again within 15 seconds it gives the same successor, so that a lost ' +
    'answer can be asked for again; a token from further back ends the session. `client_id` and `client_secret` change ' +
    'nothing.',
  errors: 'oauth',
  body: {
    schema: refreshRequest,
    mediaTypes: ['application/json', 'application/x-www-form-urlencoded'],
    precheck: (body) => requireGrantType(body, grantTypes),
  },
  success: { status: 200, description: 'A new pair of tokens', schema: tokenResponse },
  refusals: ['refresh_token_invalid', 'scope_invalid', 'grant_type_unsupported', 'store_unavailable'],
  handle: async ({ auth, body, device }) =>
    showTokens(await auth.refresh({ refreshToken: body.refresh_token, scope: body.scope, device })),
});
