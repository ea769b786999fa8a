import { type AccessTokenClaims, commonScopes, parseScope } from '@sallyport/jwt';

/** The roles a caller has and the scopes they may use. */
export interface Rights {
  readonly roles: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
}

/** The role map of the moment: what each role grants, and the roles a user was given since the token was issued. */
export interface RoleTruth {
  /** The user's roles when they changed after the token was issued, else `undefined`. */
  readonly currentRoles: readonly string[] | undefined;
  /** The scopes a role grants now, or `undefined` when there is no such role. */
  scopesOf(role: string): readonly string[] | undefined;
}

/** The rights a token states. All a guard can know without the change log. */
export function statedRights(claims: AccessTokenClaims): Rights {
  return { roles: new Set(claims.roles), scopes: parseScope(claims.scope) };
}

/**
 * The rights that hold now: live roles, what they grant now, and never more than the client asked for.
 *
 * A token issued for less than its user may do carries `limited: true`; its `scope` is then a ceiling.
 */
export function liveRights(claims: AccessTokenClaims, truth: RoleTruth): Rights {
  const named = truth.currentRoles ?? claims.roles ?? [];
  const roles = new Set(named.filter((role) => truth.scopesOf(role) !== undefined));
  const scopes = new Set([...roles].flatMap((role) => truth.scopesOf(role) ?? []));
  return { roles, scopes: claims['limited'] === true ? commonScopes(scopes, parseScope(claims.scope)) : scopes };
}
