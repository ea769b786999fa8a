import { type Role, defaultRole } from '@sallyport/auth';
import { type Access, coversScope } from '@sallyport/guard';
import { HttpError } from './http-error.ts';

/** What the rule of administration looks at in a caller. */
export type Privileged = Pick<Access, 'scopes' | 'roles'>;

/** What it looks at in a role, existing or about to. */
export type RoleRights = Pick<Role, 'name' | 'scopes'>;

/**
 * Tells whether a caller may define, replace or delete this role.
 *
 * A role with scopes is for those who hold them all. One without means something to applications that go by its name,
 * so it is for those who have it themselves, and for those who may do everything.
 */
export function mayDefine(caller: Privileged, { name, scopes }: RoleRights): boolean {
  if (scopes.length > 0) return scopes.every((scope) => coversScope(caller.scopes, scope));
  return name === defaultRole || caller.roles.has(name) || caller.scopes.has('*');
}

/**
 * Tells whether a caller may give or take this role.
 *
 * This is the one rule of administration: nobody gives, takes or touches rights above their own, so that `users:write`
 * or `roles:write` alone is never a way to `*`. The role that everybody gets reaches above nobody.
 */
export function mayGive(caller: Privileged, role: RoleRights): boolean {
  return role.name === defaultRole || mayDefine(caller, role);
}

/**
 * Refuses unless the rule allows every one of these roles.
 *
 * @throws {HttpError} `insufficient_scope`
 */
export function requireEvery(rule: typeof mayGive, caller: Privileged, roles: readonly RoleRights[]): void {
  if (!roles.every((role) => rule(caller, role))) throw new HttpError('insufficient_scope', {});
}
