import type { ResolvedSource } from '../credentials/credential-source.ts';
import type { GuardDescription } from './guard-description.ts';

/** A security scheme of OpenAPI 3.0 and 3.1. */
export type SecurityScheme =
  | { readonly type: 'http'; readonly scheme: string; readonly bearerFormat?: string; readonly description: string }
  | {
      readonly type: 'apiKey';
      readonly in: 'header' | 'cookie' | 'query';
      readonly name: string;
      readonly description: string;
    }
  | {
      readonly type: 'oauth2';
      readonly flows: {
        readonly password: { readonly tokenUrl: string; readonly scopes: Readonly<Record<string, string>> };
      };
      readonly description: string;
    };

/** The name of the scheme by which one signs in. Its requirements list the scopes. */
export const signInScheme = 'signIn';

/** The schemes of a guard by their names: one for signing in, one for each place where a token may be sent. */
export function securitySchemesOf(guard: GuardDescription): Readonly<Record<string, SecurityScheme>> {
  const { tokenEndpoint, scopes, asked, credentials } = guard;
  const sent = credentials.flatMap((source) => {
    const named = schemeOf(source);
    return named === undefined ? [] : [named];
  });
  if (tokenEndpoint === undefined) return Object.fromEntries(sent);
  const signIn: SecurityScheme = {
    type: 'oauth2',
    flows: { password: { tokenUrl: tokenEndpoint, scopes: { ...undescribed(asked), ...scopes } } },
    description: 'Signs in with name and password.',
  };
  return { [signInScheme]: signIn, ...Object.fromEntries(sent) };
}

/** The names of the schemes that any of which will do. */
export function schemeNamesOf({ tokenEndpoint, credentials }: GuardDescription): readonly string[] {
  const sent = credentials.flatMap((source) => schemeOf(source)?.[0] ?? []);
  return tokenEndpoint === undefined ? sent : [signInScheme, ...sent];
}

function undescribed(scopes: ReadonlySet<string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...scopes].toSorted().map((scope) => [scope, '']));
}

/** A body is no place OpenAPI knows a scheme for. */
function schemeOf(source: ResolvedSource): readonly [name: string, scheme: SecurityScheme] | undefined {
  const description = 'An access token.';
  switch (source.in) {
    case 'header':
      return source.name.toLowerCase() === 'authorization' && source.scheme !== ''
        ? ['accessToken', { type: 'http', scheme: source.scheme.toLowerCase(), bearerFormat: 'JWT', description }]
        : ['accessTokenHeader', { type: 'apiKey', in: 'header', name: source.name, description }];
    case 'cookie':
      return ['accessTokenCookie', { type: 'apiKey', in: 'cookie', name: source.name, description }];
    case 'query':
      return ['accessTokenQuery', { type: 'apiKey', in: 'query', name: source.parameter, description }];
    case 'body':
      return undefined;
  }
}
