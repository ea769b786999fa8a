import { cookieValues } from './cookies.ts';
import type { ResolvedSource } from './credential-source.ts';
import { isCsrfTokenFor, isFromOwnPage, isWrite, provenanceOf } from './csrf.ts';
import { type GuardedRequest, headerLines, headerValue } from './guarded-request.ts';

/** The credentials found in a request, before anything about them is believed. */
export type Credentials =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'token';
      readonly token: string;
      /** Whether another site may have made a browser send it. */
      readonly mayBeForged: boolean;
    };

/** What a guard does with a request that brings several credentials. */
export type SeveralCredentials = 'refuse' | 'first-match';

/** Finds the credentials of a request whose body, if it matters, has been read. */
export type CredentialsReader = (request: GuardedRequest, body: unknown) => Credentials;

const absent: Credentials = { kind: 'absent' };
const malformed: Credentials = { kind: 'malformed' };

// The verifier refuses longer tokens unread, so nobody need look for white space further on.
const longestToken = 8192;

// What may stand between two words in a header, a form or a query. Four searches are several times as quick as a pattern.
const whiteSpace = [' ', '\t', '\r', '\n'] as const;

/**
 * Makes the reader of a guard's sources, in their order.
 *
 * Does not judge the token's own characters: those are for the verifier, which refuses them as an invalid token.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750.html#section-2 RFC 6750, section 2}
 */
export function createCredentialsReader(
  sources: readonly ResolvedSource[],
  several: SeveralCredentials,
): CredentialsReader {
  const readers = sources.map(createReader);
  const readsQuery = sources.some((source) => source.in === 'query');
  return (request, body) => {
    let found = absent;
    for (const read of readers) {
      const credentials = read(request, body);
      if (credentials.kind === 'absent') continue;
      // A proxy and this process could each believe another one, so neither is believed.
      if (found.kind !== 'absent') return malformed;
      found = credentials;
      if (several === 'first-match') break;
    }
    const isAlsoInQuery = found.kind === 'token' && !readsQuery && queryValues(request, 'access_token').length > 0;
    return isAlsoInQuery ? malformed : found;
  };
}

function createReader(source: ResolvedSource): CredentialsReader {
  switch (source.in) {
    case 'header':
      return createHeaderReader(source.name.toLowerCase(), source.scheme);
    case 'cookie':
      return createCookieReader(source);
    case 'body':
      return (_request, body) => {
        const value = memberOf(body, source.field);
        return value === undefined ? absent : onlyToken([value]);
      };
    case 'query':
      return (request) => onlyToken(queryValues(request, source.parameter));
  }
}

function createHeaderReader(name: string, scheme: string): CredentialsReader {
  const startOfToken = scheme === '' ? 0 : scheme.length + 1;
  const wanted = scheme.toLowerCase();
  const isOfScheme = (line: string): boolean => {
    if (scheme === '') return line !== '';
    return line.slice(0, scheme.length).toLowerCase() === wanted && /^(?:\s|$)/.test(line.charAt(scheme.length));
  };
  return (request) => {
    const lines = name === 'authorization' ? request.authorization : headerLines(request, name);
    if (lines.length > 1) return malformed;
    const [line] = lines;
    if (line === undefined || !isOfScheme(line)) return absent;
    const isSeparated = scheme === '' || line[scheme.length] === ' ';
    return isSeparated ? onlyToken([line.slice(startOfToken)]) : malformed;
  };
}

function createCookieReader(source: Extract<ResolvedSource, { in: 'cookie' }>): CredentialsReader {
  const { name, trustedOrigins, csrfField } = source;
  const csrfHeader = source.csrfHeader.toLowerCase();
  return (request, body) => {
    const credentials = onlyToken(cookieValues(headerLines(request, 'cookie'), name).filter((value) => value !== ''));
    if (credentials.kind !== 'token' || !isWrite(request)) return credentials;
    const presented = headerValue(request, csrfHeader) ?? (csrfField && memberOf(body, csrfField));
    const provenance = provenanceOf(request, isCsrfTokenFor(presented, credentials.token));
    return { ...credentials, mayBeForged: !isFromOwnPage(provenance, trustedOrigins) };
  };
}

/** The token, if exactly one was brought and it can be one. */
function onlyToken(values: readonly unknown[]): Credentials {
  const [token, ...others] = values;
  if (token === undefined) return absent;
  if (others.length > 0 || typeof token !== 'string' || token === '') return malformed;
  const looked = token.slice(0, longestToken);
  return whiteSpace.some((space) => looked.includes(space)) ? malformed : { kind: 'token', token, mayBeForged: false };
}

function queryValues({ target = '' }: GuardedRequest, parameter: string): readonly string[] {
  const start = target.indexOf('?');
  if (start < 0) return [];
  const query = target.slice(start + 1);
  return query.includes(parameter) || query.includes('%') ? new URLSearchParams(query).getAll(parameter) : [];
}

function memberOf(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null) return undefined;
  return Object.hasOwn(body, name) ? Reflect.get(body, name) : undefined;
}
