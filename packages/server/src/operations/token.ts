import * as z from 'zod';
import { type GrantType, requireGrantType } from '../grant-type.ts';
import { HttpError } from '../http-error.ts';
import { type Operation, defineOperation } from '../operation.ts';
import { showTokens } from '../representations.ts';
import { clientFields, scope, tokenResponse } from '../schemas.ts';

const credential = z.string().min(1);
const grantTypes = ['password', 'refresh_token'] as const satisfies readonly GrantType[];

const tokenRequest = z
  .strictObject({
    grant_type: z
      .enum(grantTypes)
      .optional()
      .meta({
        description: 'Left out beside a `username` it means `password`.',
        examples: ['password'],
      }),
    username: credential.optional().meta({ examples: ['alice'] }),
    password: credential.optional().meta({ format: 'password', examples: ['correct horse battery staple'] }),
    refresh_token: z
      .string()
      .optional()
      .meta({ description: 'For the grant `refresh_token`.', examples: [''] }),
    scope: scope.optional(),
    ...clientFields,
  })
  .meta({ id: 'TokenRequest' });

type TokenRequest = z.output<typeof tokenRequest>;

/**
 * `POST /token`
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-3.2 RFC 6749, section 3.2}
 */
export const token: Operation = defineOperation({
  id: 'issueToken',
  tag: 'Tokens',
  summary: 'Sign in, or refresh (RFC 6749)',
  description:
    'The token endpoint. Signing in with a password here is for first-party clients only (RFC 9700, section 2.4). ' +
    'There is no client registry: `client_id`, `client_secret` and Basic credentials are accepted and change nothing.',
  errors: 'oauth',
  body: {
    schema: tokenRequest,
    mediaTypes: ['application/x-www-form-urlencoded', 'application/json'],
    precheck: (body) => requireGrantType(body, grantTypes),
  },
  success: { status: 200, description: 'A new pair of tokens', schema: tokenResponse },
  refusals: [
    'credentials_invalid',
    'refresh_token_invalid',
    'scope_invalid',
    'grant_type_unsupported',
    'request_invalid',
    'busy',
    'store_unavailable',
  ],
  handle: async ({ auth, body, device }) => {
    const grant = readGrant(body);
    const tokens =
      grant.type === 'password' ? await auth.signIn({ ...grant, device }) : await auth.refresh({ ...grant, device });
    return showTokens(tokens);
  },
});

type Grant =
  | {
      readonly type: 'password';
      readonly username: string;
      readonly password: string;
      readonly scope: string | undefined;
    }
  | { readonly type: 'refresh_token'; readonly refreshToken: string; readonly scope: string | undefined };

/** Reads which grant a token request means, and what that grant needs. */
function readGrant(request: TokenRequest): Grant {
  // Clients of OAuth2PasswordRequestForm leave the grant type out.
  const type = request.grant_type ?? (request.username === undefined ? undefined : 'password');
  switch (type) {
    case undefined:
      throw incomplete('grant_type is missing');
    case 'password': {
      const { username, password, scope: wanted } = request;
      if (username === undefined || password === undefined) throw incomplete('username and password are required');
      return { type, username, password, scope: wanted };
    }
    case 'refresh_token': {
      const { refresh_token: refreshToken, scope: wanted } = request;
      if (refreshToken === undefined) throw incomplete('refresh_token is missing');
      return { type, refreshToken, scope: wanted };
    }
  }
}

function incomplete(reason: string): HttpError {
  return new HttpError('request_invalid', { reason });
}
