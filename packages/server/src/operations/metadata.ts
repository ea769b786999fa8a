import * as z from 'zod';
import { type Operation, defineOperation } from '../operation.ts';
import { ownScopes } from '../scopes.ts';

const PUBLIC_CACHE = 'public, max-age=600';

const jwkSet = z
  .strictObject({ keys: z.array(z.looseObject({ kty: z.string() })) })
  .meta({ id: 'JwkSet', description: 'RFC 7517, section 5. Public members only.' });

const metadata = z
  .strictObject({
    issuer: z.string(),
    token_endpoint: z.string(),
    jwks_uri: z.string(),
    revocation_endpoint: z.string(),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint: z.string(),
    grant_types_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    service_documentation: z.string(),
  })
  .meta({ id: 'ServerMetadata', description: 'RFC 8414, section 2.' });

/**
 * `GET /.well-known/jwks.json`
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-5 RFC 7517, section 5}
 */
export const readJwkSet: Operation = defineOperation({
  id: 'readJwkSet',
  tag: 'Discovery',
  summary: 'The public keys that verify access tokens (RFC 7517)',
  success: { status: 200, description: 'The JWK Set', schema: jwkSet, cacheControl: PUBLIC_CACHE },
  refusals: ['store_unavailable'],
  handle: async ({ auth }) => {
    const { keys } = await auth.keys.publicJwkSet();
    return { keys: keys.map((key) => ({ ...key })) };
  },
});

/**
 * `GET /.well-known/oauth-authorization-server`
 *
 * Every URL comes from the configured issuer, never from a header of the request.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414.html#section-2 RFC 8414, section 2}
 */
export const readMetadata: Operation = defineOperation({
  id: 'readMetadata',
  tag: 'Discovery',
  summary: 'Where everything is (RFC 8414)',
  success: { status: 200, description: 'The metadata', schema: metadata, cacheControl: PUBLIC_CACHE },
  handle: async ({ auth }) => {
    const base = auth.issuer.endsWith('/') ? auth.issuer.slice(0, -1) : auth.issuer;
    return {
      issuer: auth.issuer,
      token_endpoint: `${base}/token`,
      jwks_uri: `${base}/.well-known/jwks.json`,
      revocation_endpoint: `${base}/token/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
      introspection_endpoint: `${base}/token/introspect`,
      grant_types_supported: ['password', 'refresh_token'],
      response_types_supported: [],
      scopes_supported: Object.keys(ownScopes),
      token_endpoint_auth_methods_supported: ['none'],
      service_documentation: `${base}/docs`,
    };
  },
});
