import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { PasswordHashes } from '../passwords/password-hashes.ts';
import { randomId, type Clock, type Random } from '../ports.ts';
import { later, type SessionLifetimes } from '../sessions/session-lifetimes.ts';
import type { Device, SessionRecord } from '../sessions/session.ts';
import type { Store, Transaction } from '../stores/store.ts';
import type { UserRecord } from '../users/user.ts';
import { foldUsername } from '../users/username.ts';
import { grantScope, scopesOfRoles } from './granted-scope.ts';
import type { TokenGrant, TokenIssuer } from './token-issuer.ts';
import type { TokenPair } from './token-pair.ts';

/** What signing in works with. */
export interface SignInDependencies {
  readonly store: Store;
  readonly hashes: PasswordHashes;
  readonly issuer: TokenIssuer;
  readonly lifetimes: SessionLifetimes;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
}

/** What a sign-in brings. */
export interface SignInInput {
  readonly username: string;
  readonly password: string;
  /** Less than the user's roles grant, separated by spaces. Default: all that they grant. */
  readonly scope?: string | undefined;
  readonly device?: Device | undefined;
}

/** Signs users in: proves a password, starts a session, issues its first tokens. */
export class SignIn {
  readonly #dependencies: SignInDependencies;

  constructor(dependencies: SignInDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Unknown users, wrong passwords and disabled users are refused alike, after the same work.
   *
   * @throws {AuthError} `credentials_invalid`, `scope_invalid`, `busy`
   */
  async withPassword({ username, password, scope, device }: SignInInput): Promise<TokenPair> {
    const { store, hashes, clock, emit } = this.#dependencies;
    const user = await store.users.findByName(foldUsername(username));
    const matches = await hashes.verify(password, user?.passwordHash);
    if (user === undefined || !matches || user.disabled) {
      const reason = user === undefined ? 'unknown_user' : matches ? 'disabled' : 'wrong_password';
      emit({ type: 'sign_in_refused', at: clock(), reason, userId: user?.id });
      throw new AuthError('credentials_invalid', 'sign-in refused', {});
    }
    const pair = await this.forUser(user.id, { scope, device, provenHash: user.passwordHash });
    if (hashes.isOutdated(user.passwordHash)) await this.#rehash(user, password);
    return pair;
  }

  /**
   * Starts a session without a password, for whoever has proven the user another way.
   *
   * @param options `provenHash`: the session starts only while this is still the user's password
   * @throws {AuthError} `user_not_found`, `credentials_invalid` for a disabled user, `scope_invalid`
   */
  async forUser(
    userId: string,
    options: {
      readonly scope?: string | undefined;
      readonly device?: Device | undefined;
      readonly provenHash?: string;
    } = {},
  ): Promise<TokenPair> {
    const { store, issuer, clock, emit } = this.#dependencies;
    const grant = await store.transaction(async (transaction) => {
      // First of all, so that a change that comes in between kills the token instead of being missed by it.
      const asOf = await transaction.changes.head();
      const user = await transaction.users.find(userId);
      const isStale = options.provenHash !== undefined && options.provenHash !== user?.passwordHash;
      if (isStale || user?.disabled === true) throw new AuthError('credentials_invalid', 'sign-in refused', {});
      if (user === undefined) throw new AuthError('user_not_found', 'no such user', {});
      return this.#start(transaction, user, asOf, options.scope, options.device);
    });
    emit({ type: 'signed_in', at: clock(), userId, sessionId: grant.session.id });
    return issuer.issue(grant);
  }

  async #start(
    transaction: Transaction,
    user: UserRecord,
    asOf: number,
    scope: string | undefined,
    device: Device | undefined,
  ): Promise<TokenGrant> {
    const { lifetimes, clock, random } = this.#dependencies;
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

  async #rehash(user: UserRecord, password: string): Promise<void> {
    const { store, hashes, clock, emit } = this.#dependencies;
    await store.users.replacePasswordHash(user.id, user.passwordHash, await hashes.hash(password));
    emit({ type: 'password_rehashed', at: clock(), userId: user.id });
  }
}
