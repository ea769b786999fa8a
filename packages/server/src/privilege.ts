import { type Role, defaultRole } from '@sallyport/auth';
import { type Access, coversScope } from '@sallyport/guard';
import { HttpError } from './http-error.ts';

/**
 * The scopes these roles give beyond what everybody has. A role that does not exist gives none.
 *
 * The default role does not count: whoever registers gets it, so that handing it out reaches above nobody.
 */
export function scopesOfRoles(names: readonly string[], roles: readonly Role[]): readonly string[] {
  return roles.filter((role) => names.includes(role.name) && role.name !== defaultRole).flatMap((role) => role.scopes);
}

/**
 * Tells whether a caller holds every one of these scopes.
 *
 * This is the one rule of administration: nobody gives, takes or touches rights above their own, so that `users:write`
 * or `roles:write` alone is never a way to `*`.
 */
export function holdsAll(caller: Pick<Access, 'scopes'>, scopes: readonly string[]): boolean {
  return scopes.every((scope) => coversScope(caller.scopes, scope));
}

/** Refuses with `insufficient_scope` unless {@link holdsAll} says yes. */
export function requireHolding(caller: Pick<Access, 'scopes'>, scopes: readonly string[]): void {
  if (!holdsAll(caller, scopes)) throw new HttpError('insufficient_scope', {});
}
