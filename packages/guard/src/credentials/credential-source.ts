import { isWebOrigin } from '../web-origin.ts';

/** The `Authorization` header, or one of your own. */
export interface HeaderSource {
  readonly in: 'header';
  /** Default: `Authorization`. */
  readonly name?: string;
  /** The word before the token, in any case; empty: the header is the token alone. Default: `Bearer`. */
  readonly scheme?: string;
}

/**
 * A cookie, which browsers send by themselves, also when another site makes them. A request that may change something
 * (any method but GET, HEAD, OPTIONS and TRACE) must therefore prove where it comes from: by `Sec-Fetch-Site`, else by
 * `Origin`, else by the token of {@link csrfTokenFor}.
 */
export interface CookieSource {
  readonly in: 'cookie';
  /** Default: `__Host-access_token`. Another name promises less: any neighbouring host may set it. */
  readonly name?: string;
  /** Other origins whose pages may write, such as `https://app.example.com`. Default: none but the API's own. */
  readonly trustedOrigins?: readonly string[];
  /** The header that brings the token of {@link csrfTokenFor}. Default: `X-CSRF-Token`. */
  readonly csrfHeader?: string;
  /** The field of a parsed body that may bring it instead, for plain forms. Default: none. */
  readonly csrfField?: string;
}

/** A field of the parsed body, form or JSON. The guard must then run after the body was read. */
export interface BodySource {
  readonly in: 'body';
  /** Default: `access_token`. */
  readonly field?: string;
}

/** A parameter of the query. URLs end up in logs and histories: for clients that can do nothing else. */
export interface QuerySource {
  readonly in: 'query';
  /** Default: `access_token`. */
  readonly parameter?: string;
}

/** One place where a request may bring its access token. */
export type CredentialSource = HeaderSource | CookieSource | BodySource | QuerySource;

/** A source with every default in place. */
export type ResolvedSource =
  | Required<HeaderSource>
  | (Required<Omit<CookieSource, 'csrfField'>> & Pick<CookieSource, 'csrfField'>)
  | Required<BodySource>
  | Required<QuerySource>;

type Place = CredentialSource['in'];

const defaults = {
  header: { name: 'Authorization', scheme: 'Bearer' },
  cookie: { name: '__Host-access_token', trustedOrigins: [], csrfHeader: 'X-CSRF-Token' },
  body: { field: 'access_token' },
  query: { parameter: 'access_token' },
} as const satisfies Record<Place, object>;

// RFC 9110, section 5.6.2: what names of headers, schemes and cookies are made of.
const httpToken = /^[\w!#$%&'*+.^`|~-]+$/;

const isHttpToken = (value: unknown): boolean => typeof value === 'string' && httpToken.test(value);
const isScheme = (value: unknown): boolean => value === '' || isHttpToken(value);
const isFieldName = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

/** What each member of a source must be; a member that is not here is misspelt. */
const members: Readonly<Record<Place, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  header: { name: isHttpToken, scheme: isScheme },
  cookie: { name: isHttpToken, trustedOrigins: isOriginList, csrfHeader: isHttpToken, csrfField: isFieldName },
  body: { field: isFieldName },
  query: { parameter: isHttpToken },
};

/** What is wrong with the `credentials` of a guard, or `undefined`. */
export function credentialsProblem(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) {
    return 'credentials must be a non-empty list of sources such as { in: "header" } and { in: "cookie" }';
  }
  return value.map(sourceProblem).find((problem) => problem !== undefined);
}

function sourceProblem(source: unknown, index: number): string | undefined {
  const where = `credentials[${String(index)}]`;
  if (typeof source !== 'object' || source === null || !('in' in source) || !isPlace(source.in)) {
    return `${where} must say where it is: { in: "header" }, "cookie", "body" or "query"`;
  }
  const rules = members[source.in];
  const wrong = Object.entries(source).find(([name, value]) => name !== 'in' && rules[name]?.(value) !== true);
  return wrong && `${where}.${wrong[0]} is not a fitting member (known: ${Object.keys(rules).join(', ')})`;
}

/** Fills in the defaults of sources that were found good. */
export function resolveSources(sources: readonly CredentialSource[]): readonly ResolvedSource[] {
  return Object.freeze(sources.map((source) => Object.freeze(resolveSource(source))));
}

function resolveSource(source: CredentialSource): ResolvedSource {
  switch (source.in) {
    case 'header':
      return { ...defaults.header, ...source };
    case 'cookie':
      return { ...defaults.cookie, ...source };
    case 'body':
      return { ...defaults.body, ...source };
    case 'query':
      return { ...defaults.query, ...source };
  }
}

/** Tells whether a source needs the parsed body. */
export function readsBody(source: ResolvedSource): boolean {
  return source.in === 'body' || (source.in === 'cookie' && source.csrfField !== undefined);
}

/** The scheme a challenge names: that of the first header that has one. */
export function challengeScheme(sources: readonly ResolvedSource[]): string {
  const schemes = sources.map((source) => (source.in === 'header' ? source.scheme : ''));
  return schemes.find((scheme) => scheme !== '') ?? defaults.header.scheme;
}

function isPlace(value: unknown): value is Place {
  return typeof value === 'string' && Object.hasOwn(defaults, value);
}

function isOriginList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isWebOrigin);
}
