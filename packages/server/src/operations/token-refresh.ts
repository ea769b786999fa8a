import * as z from 'zod';
import { type Operation, defineOperation } from '../operation.ts';
import { showTokens } from '../representations.ts';
import { presentedToken, scope, tokenResponse } from '../schemas.ts';

const refreshRequest = z
  .strictObject({ refresh_token: presentedToken, scope: scope.optional() })
  .meta({ id: 'RefreshRequest' });

/** `POST /token/refresh`: the token endpoint's `refresh_token` grant under an address of its own. */
export const refreshToken: Operation = defineOperation({
  id: 'refreshToken',
  tag: 'Tokens',
  summary: 'Exchange a refresh token for a new pair',
  description:
    'Each refresh token is used once. Presented again within 15 seconds it gives the same successor, so that a lost ' +
    'answer can be asked for again; a token from further back ends the session.',
  errors: 'oauth',
  body: { schema: refreshRequest, mediaTypes: ['application/json', 'application/x-www-form-urlencoded'] },
  success: { status: 200, description: 'A new pair of tokens', schema: tokenResponse },
  refusals: ['refresh_token_invalid', 'scope_invalid'],
  handle: async ({ auth, body, device }) =>
    showTokens(await auth.refresh({ refreshToken: body.refresh_token, scope: body.scope, device })),
});
