import { AuthError } from '../errors.ts';

/** A name for a set of scopes. Tokens carry the name; what it grants is looked up live. */
export interface Role {
  readonly name: string;
  /** In alphabetical order. */
  readonly scopes: readonly string[];
  /** Built-in roles always exist. */
  readonly builtIn: boolean;
}

/** The role that may do everything. */
export const administratorRole = 'admin';
/** The role every new user has. */
export const defaultRole = 'user';

/** The roles every database starts with. */
export const builtInRoles: Readonly<Record<string, readonly string[]>> = {
  [administratorRole]: ['*'],
  [defaultRole]: [],
};

/** Whether a role is one of those that every database starts with. */
export function isBuiltIn(name: string): boolean {
  return Object.hasOwn(builtInRoles, name);
}

const roleName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Refuses a name that would not travel well in a token, a path or a shell. */
export function validateRoleName(name: string): void {
  if (!roleName.test(name)) {
    throw new AuthError('value_invalid', 'role name refused', {
      field: 'role',
      reason: 'a role name is 1 to 64 letters, digits, dots, dashes or underscores and starts with a letter or digit',
    });
  }
}

/** How many roles a user may have: every access token holds their names. */
const mostRoles = 32;

/** Role names without repetition, in alphabetical order. @throws {AuthError} `value_invalid` when they are too many */
export function roleList(names: readonly string[]): readonly string[] {
  const list = [...new Set(names)].toSorted();
  if (list.length <= mostRoles) return list;
  throw new AuthError('value_invalid', 'too many roles', { field: 'roles', reason: `use at most ${mostRoles} roles` });
}
