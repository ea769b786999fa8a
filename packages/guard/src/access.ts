import { type AccessTokenClaims, coversScope } from '@sallyport/jwt';
import type { Rights } from './rights.ts';

/** Who calls and what they may do, once a guard has granted the request. */
export interface Access {
  /** The user, or for a client acting for itself the client: the token's `sub`. */
  readonly subject: string;
  /** What the caller may do. Wildcards stand as granted (`todos:*`): ask {@link Access.hasScope}. */
  readonly scopes: ReadonlySet<string>;
  /** The caller's roles, by name. */
  readonly roles: ReadonlySet<string>;
  /** The session the token belongs to: `sid`. */
  readonly sessionId?: string;
  /** The token's own identifier: `jti`. */
  readonly tokenId?: string;
  /** The client the token was issued to: `client_id`. */
  readonly clientId?: string;
  /** When the token expires: `exp`. */
  readonly expiresAt: Date;
  /** All claims as verified. `scope` and `roles` in here are what the token says, not what holds now. */
  readonly claims: AccessTokenClaims;
  /** Tells whether the caller's scopes cover this one. */
  hasScope(scope: string): boolean;
  /** Tells whether the caller has exactly this role. */
  hasRole(role: string): boolean;
}

const milliseconds = 1000;

export function createAccess(claims: AccessTokenClaims, { scopes, roles }: Rights): Access {
  return {
    subject: claims.sub,
    scopes,
    roles,
    ...(claims.sid === undefined ? {} : { sessionId: claims.sid }),
    ...(claims.jti === undefined ? {} : { tokenId: claims.jti }),
    ...(claims.client_id === undefined ? {} : { clientId: claims.client_id }),
    expiresAt: new Date(claims.exp * milliseconds),
    claims,
    hasScope: (scope) => coversScope(scopes, scope),
    hasRole: (role) => roles.has(role),
  };
}
