import { commonScopes, coversScope, isScope, parseScope } from '@sallyport/jwt';
import { AuthError } from '../errors.ts';
import type { Repositories } from '../stores/store.ts';

/** The longest scope a client may ask for, in characters: it stands in every token. */
const longestScope = 1024;

/** What an access token may do. */
export interface GrantedScope {
  /** Separated by spaces, in alphabetical order. */
  readonly scope: string;
  /** Whether the client asked for less than the roles grant: the scope is then a ceiling, else a snapshot. */
  readonly limited: boolean;
}

/** Everything the roles grant now. */
export async function scopesOfRoles(
  { roles }: Pick<Repositories, 'roles'>,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = await Promise.all(names.map((name) => roles.find(name)));
  return new Set(found.flatMap((role) => role?.scopes ?? []));
}

/**
 * Narrows what the roles grant to the session's ceiling and to what this request asks for.
 *
 * @param ceiling the scope asked for at sign-in; it may have lost some of its ground since, which is no error
 * @param asked the scope asked for now; more than is granted is refused (RFC 6749, sections 3.3 and 6)
 * @throws {AuthError} `scope_invalid`
 */
export function grantScope(
  granted: ReadonlySet<string>,
  ceiling: string | undefined,
  asked: string | undefined,
): GrantedScope {
  const allowed = ceiling === undefined ? granted : commonScopes(granted, parseScope(ceiling));
  if (asked === undefined) return { scope: write(allowed), limited: ceiling !== undefined };
  if (asked.length > longestScope) refuse();
  const wanted = parseScope(asked);
  for (const scope of wanted) {
    if (!isScope(scope) || !coversScope(allowed, scope)) refuse();
  }
  return { scope: write(wanted), limited: true };
}

function refuse(): never {
  throw new AuthError('scope_invalid', 'more scope asked for than granted', {});
}

function write(scopes: ReadonlySet<string>): string {
  return [...scopes].toSorted().join(' ');
}
