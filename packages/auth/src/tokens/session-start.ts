import { randomId, type Clock, type Random } from '../ports.ts';
import { later, type SessionLifetimes } from '../sessions/session-lifetimes.ts';
import type { Device, SessionRecord } from '../sessions/session.ts';
import type { Transaction } from '../stores/store.ts';
import type { UserRecord } from '../users/user.ts';
import { grantScope, scopesOfRoles } from './granted-scope.ts';
import type { TokenGrant } from './token-issuer.ts';

/** What starting a session works with. */
export interface SessionStartDependencies {
  readonly lifetimes: SessionLifetimes;
  readonly clock: Clock;
  readonly random: Random;
}

/** Whose session starts, and how. */
export interface SessionStart {
  readonly user: UserRecord;
  /** Position of the change log, read before the user. */
  readonly asOf: number;
  readonly scope: string | undefined;
  readonly device: Device | undefined;
}

/** Starts a session of a user whom somebody has proven. @throws {AuthError} `scope_invalid` */
export async function startSession(
  transaction: Transaction,
  { user, asOf, scope, device }: SessionStart,
  { lifetimes, clock, random }: SessionStartDependencies,
): Promise<TokenGrant> {
  const granted = grantScope(await scopesOfRoles(transaction, user.roles), undefined, scope);
  const now = clock();
  const session: SessionRecord = {
    id: randomId(random),
    userId: user.id,
    userEpoch: user.epoch,
    generation: 1,
    base: 0,
    mintedAt: now,
    rotatedAt: now,
    salt: random.bytes(16),
    scope: granted.limited ? granted.scope : undefined,
    createdAt: now,
    lastUsedAt: now,
    idleExpiresAt: later(now, lifetimes.idle),
    expiresAt: later(now, lifetimes.absolute),
    endedAt: undefined,
    userAgent: device?.userAgent,
    address: device?.address,
  };
  await transaction.sessions.insert(session);
  return { session, user, granted, asOf, issuedAt: now };
}
