import { packageVersion } from './version.ts';
import { describeOperation } from './openapi-operation.ts';
import { describeNamedSchemas } from './openapi-schemas.ts';
import type { CookieScheme, Tag } from './operation.ts';
import type { Route } from './routes.ts';
import { oauthError, problem } from './schemas.ts';
import { ownScopes } from './scopes.ts';

const tags: Readonly<Record<Tag, string>> = {
  Tokens: 'Sign in, refresh, revoke, introspect: the OAuth 2.0 endpoints.',
  Browser: 'For pages: the same sign-in, with the tokens in cookies that no script can read.',
  Account: 'Your own account and the devices you are signed in on.',
  Users: 'Administration of users. Nobody reaches users who may do more than they do.',
  Roles: 'A role is a name and its scopes.',
  Keys: 'The keys that sign access tokens.',
  Feed: 'For guards in other processes: what was revoked, as it happens (docs/feed-protocol.md).',
  Discovery: 'What other programs need to find and verify.',
  Health: 'For whatever watches over the process.',
};

const describeSecuritySchemes = (issuer: string): SecuritySchemes => ({
  oauth2: {
    type: 'oauth2',
    description: 'Sign in with a user name and a password.',
    flows: {
      // Relative, so that the document holds wherever the server is mounted.
      password: {
        tokenUrl: 'token',
        refreshUrl: 'token/refresh',
        scopes: { ...ownScopes, '*': 'Everything: what the role admin has' },
      },
    },
  },
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token from elsewhere.' },
  feedCredential: { type: 'http', scheme: 'bearer', description: 'Made by `sallyport feed-credentials create`.' },
  sessionCookie: describeCookie(issuer, 'access_token', 'The access token, in a cookie of `POST /login`.'),
  refreshCookie: describeCookie(issuer, 'refresh_token', 'The refresh token, in a cookie of `POST /login`.'),
});

/** Browsers take the prefix over https alone. */
function describeCookie(issuer: string, name: string, description: string): object {
  return { type: 'apiKey', in: 'cookie', name: issuer.startsWith('https:') ? `__Host-${name}` : name, description };
}

/** By the names that operations refer to. */
type SecuritySchemes = Readonly<Record<'oauth2' | 'bearer' | 'feedCredential' | CookieScheme, object>>;

/** An OpenAPI document, as far as this server fills it in. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: object;
  readonly servers: readonly object[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: { readonly securitySchemes: object; readonly schemas: Readonly<Record<string, unknown>> };
}

/**
 * Describes a table of routes as OpenAPI 3.1.
 *
 * Every URL in it is relative to the document's own, so it holds below any base path.
 *
 * @see {@link https://spec.openapis.org/oas/v3.1.0.html#openapi-object OpenAPI 3.1.0, section 4.8.1}
 */
export function describeApi(table: readonly Route[], issuer: string): OpenApiDocument {
  const routes = table.filter((route) => route.undocumented !== true);
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeOperation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sallyport',
      version: packageVersion(),
      summary: 'JWT authentication: sign in, refresh, revoke, roles.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '.', description: 'This server' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: describeSecuritySchemes(issuer),
      schemas: describeNamedSchemas(routes, [problem, oauthError]),
    },
  };
}
