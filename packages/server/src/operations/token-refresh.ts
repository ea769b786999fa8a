import { isAuthError } from '@sallyport/auth';
import * as z from 'zod';
import { type BrowserSessionBody, browserSession, showBrowserSession } from '../browser-session-schemas.ts';
import { requireGrantType } from '../grant-type.ts';
import { HttpError } from '../http-error.ts';
import { type Operation, type OperationContext, defineOperation } from '../operation.ts';
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

/** `POST /token/refresh`: the token endpoint's `refresh_token` grant under an address of its own, and for cookies. */
export const refreshToken: Operation = defineOperation({
  id: 'refreshToken',
  tag: 'Tokens',
  summary: 'Exchange a refresh token for a new pair',
  description:
    'Each refresh token is used once. Presented again within 15 seconds it gives the same successor, so that a lost ' +
    'answer can be asked for again; a token from further back ends the session. `client_id` and `client_secret` change ' +
    'nothing. Without a body, the refresh cookie is exchanged: the new pair is in cookies too, and the request must come ' +
    'from a page of this origin or of `CORS_ORIGINS`. When the session is over the cookies are taken away.',
  errors: 'oauth',
  takesCookies: ['refreshCookie'],
  body: {
    schema: refreshRequest.optional(),
    mediaTypes: ['application/json', 'application/x-www-form-urlencoded'],
    precheck: (body) => requireGrantType(body, grantTypes),
  },
  success: {
    status: 200,
    description: 'A new pair of tokens; in cookies, if the old one was',
    schema: z.union([tokenResponse, browserSession]),
  },
  refusals: [
    'refresh_token_invalid',
    'scope_invalid',
    'grant_type_unsupported',
    'request_invalid',
    'csrf_proof_missing',
    'store_unavailable',
  ],
  handle: async (context) => {
    const { auth, body, device } = context;
    if (body === undefined) return refreshCookies(context);
    return showTokens(await auth.refresh({ refreshToken: body.refresh_token, scope: body.scope, device }));
  },
});

/** Losing a race, or a database that is away, is no reason to forget a session: only its end is. */
async function refreshCookies({
  auth,
  browser,
  device,
}: Pick<OperationContext<undefined>, 'auth' | 'browser' | 'device'>): Promise<BrowserSessionBody> {
  const { refreshToken: presented } = browser;
  if (presented === undefined) {
    throw new HttpError('request_invalid', { reason: 'Send a refresh_token, or come with one refresh cookie' });
  }
  browser.requireOwnPage();
  try {
    const tokens = await auth.refresh({ refreshToken: presented, device });
    browser.keep(tokens);
    return showBrowserSession(tokens);
  } catch (error) {
    if (isAuthError(error) && error.code === 'refresh_token_invalid') browser.forget();
    throw error;
  }
}
