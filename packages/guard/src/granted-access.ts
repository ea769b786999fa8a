import { type AccessTokenClaims, coversScope } from '@sallyport/jwt';
import type { Access, Demand } from './access.ts';
import { findShortfall, resolveRequirement, type Vocabulary } from './requirement.ts';
import type { Rights } from './rights.ts';
import type { Shortfall } from './rules.ts';
import type { VerifiedToken } from './verification.ts';

/** What an access needs of the guard that granted it. */
export interface Grantor {
  readonly vocabulary: Vocabulary;
  readonly now: () => Date;
  /** Makes the error of a demand that is not met. */
  readonly refused: (shortfall: Shortfall) => Error;
}

const milliseconds = 1000;

/** The access a verified token gives, with the rights that hold now. */
export function createAccess(
  { claims, typedClaims }: VerifiedToken,
  { scopes, roles }: Rights,
  grantor: Grantor,
): Access {
  const lacking = (demand: Demand): Shortfall | undefined => {
    const circumstances = { now: grantor.now(), context: undefined };
    const finding = findShortfall(access, resolveRequirement(demand, grantor.vocabulary), circumstances);
    if (!(finding instanceof Promise)) return finding;
    finding.catch(() => undefined);
    throw new TypeError('Inside a handler a policy must answer at once: await what it needs before');
  };
  const access: Access = Object.freeze({
    ...statedBy(claims),
    scopes,
    roles,
    claims: typedClaims as AccessTokenClaims,
    hasScope: (scope: string) => coversScope(scopes, scope),
    hasRole: (role: string) => roles.has(role),
    meets: (demand: Demand) => lacking(demand) === undefined,
    demand: (demand: Demand) => {
      const shortfall = lacking(demand);
      if (shortfall !== undefined) throw grantor.refused(shortfall);
    },
  });
  return access;
}

function statedBy(claims: AccessTokenClaims) {
  const { sub, aud, exp, sid, jti, client_id, auth_time } = claims;
  return {
    subject: sub,
    tokenKind: sub === client_id ? ('client' as const) : ('user' as const),
    audience: typeof aud === 'string' ? [aud] : aud,
    expiresAt: new Date(exp * milliseconds),
    ...(sid === undefined ? {} : { sessionId: sid }),
    ...(jti === undefined ? {} : { tokenId: jti }),
    ...(client_id === undefined ? {} : { clientId: client_id }),
    ...(auth_time === undefined ? {} : { authenticatedAt: new Date(auth_time * milliseconds) }),
  };
}
