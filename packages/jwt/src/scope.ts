// RFC 6749, section 3.3 (scope-token): printable ASCII without space, quote and backslash.
const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Reads the `scope` of a token or a request: names separated by spaces. Does not check that they are well formed.
 *
 * @example
 * import { parseScope } from '@sallyport/jwt';
 *
 * parseScope('todos:read todos:write'); // Set { 'todos:read', 'todos:write' }
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-3.3 RFC 6749, section 3.3}
 */
export function parseScope(scope: string | undefined): ReadonlySet<string> {
  return new Set((scope ?? '').split(' ').filter((name) => name !== ''));
}

/**
 * Tells whether a value can be one scope: printable ASCII without spaces, quotes and backslashes.
 *
 * @example
 * import { isScope } from '@sallyport/jwt';
 *
 * isScope('todos:read'); // true
 * isScope('todos read'); // false
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-3.3 RFC 6749, section 3.3}
 */
export function isScope(value: string): boolean {
  return scopeToken.test(value);
}

/**
 * Tells whether the granted scopes reach a wanted one.
 *
 * Exact membership, plus two wildcards on the granted side: `*` covers everything and `todos:*` everything that begins
 * with `todos:`. Comparison is case-sensitive. Nothing is read into the wanted scope.
 *
 * @example
 * import { coversScope } from '@sallyport/jwt';
 *
 * coversScope(new Set(['todos:*']), 'todos:read'); // true
 * coversScope(new Set(['todos:read']), 'todos:*'); // false
 */
export function coversScope(granted: ReadonlySet<string>, wanted: string): boolean {
  if (granted.has(wanted) || granted.has('*')) return true;
  for (let colon = wanted.lastIndexOf(':'); colon > 0; colon = wanted.lastIndexOf(':', colon - 1)) {
    if (granted.has(`${wanted.slice(0, colon)}:*`)) return true;
  }
  return false;
}

/**
 * The scopes two sets share; of a wildcard and a scope it covers, the narrower.
 *
 * @example
 * import { commonScopes } from '@sallyport/jwt';
 *
 * commonScopes(new Set(['todos:*']), new Set(['todos:read', 'users:read'])); // Set { 'todos:read' }
 */
export function commonScopes(left: ReadonlySet<string>, right: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([
    ...[...left].filter((scope) => coversScope(right, scope)),
    ...[...right].filter((scope) => coversScope(left, scope)),
  ]);
}
