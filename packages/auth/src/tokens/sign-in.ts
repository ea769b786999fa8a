import { AuthError } from '../errors.ts';
import type { AuthEventDetails, EventListener } from '../events.ts';
import type { PasswordHashes } from '../passwords/password-hashes.ts';
import type { Device } from '../sessions/session.ts';
import type { Store } from '../stores/store.ts';
import type { UserRecord } from '../users/user.ts';
import { foldUsername } from '../users/username.ts';
import { startSession, type SessionStartDependencies } from './session-start.ts';
import type { TokenIssuer } from './token-issuer.ts';
import type { TokenPair } from './token-pair.ts';

/** What signing in works with. */
export interface SignInDependencies extends SessionStartDependencies {
  readonly store: Store;
  readonly hashes: PasswordHashes;
  readonly issuer: TokenIssuer;
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

type SignInRefusal = AuthEventDetails['sign_in_refused']['reason'];

/** Signs users in: proves a password, starts a session, issues its first tokens. */
export class SignIn {
  readonly #dependencies: SignInDependencies;

  constructor(dependencies: SignInDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Unknown users, wrong passwords, disabled users and those without a password are refused alike, after the same work.
   *
   * @throws {AuthError} `credentials_invalid`, `scope_invalid`, `busy`
   */
  async withPassword({ username, password, scope, device }: SignInInput): Promise<TokenPair> {
    const { store, hashes, clock, emit } = this.#dependencies;
    const user = await store.users.findByName(foldUsername(username));
    const hash = user?.passwordHash;
    const matches = await hashes.verify(password, hash);
    if (user === undefined || hash === undefined || !matches || user.disabled) {
      emit({ type: 'sign_in_refused', at: clock(), reason: refusalOf(user, matches), userId: user?.id });
      throw new AuthError('credentials_invalid', 'sign-in refused', {});
    }
    const pair = await this.forUser(user.id, { scope, device, provenHash: hash });
    if (hashes.isOutdated(hash)) await this.#rehash(user.id, hash, password);
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
      const started = { user, asOf, scope: options.scope, device: options.device };
      return startSession(transaction, started, this.#dependencies);
    });
    emit({ type: 'signed_in', at: clock(), userId, sessionId: grant.session.id });
    return issuer.issue(grant);
  }

  async #rehash(userId: string, outdated: string, password: string): Promise<void> {
    const { store, hashes, clock, emit } = this.#dependencies;
    await store.users.replacePasswordHash(userId, outdated, await hashes.hash(password));
    emit({ type: 'password_rehashed', at: clock(), userId });
  }
}

/** Why a sign-in was refused: for the log alone. */
function refusalOf(user: UserRecord | undefined, matches: boolean): SignInRefusal {
  if (user === undefined) return 'unknown_user';
  if (user.passwordHash === undefined) return 'no_password';
  return matches ? 'disabled' : 'wrong_password';
}
