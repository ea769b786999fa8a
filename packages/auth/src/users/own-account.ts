import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports.ts';
import type { Device } from '../sessions/session.ts';
import { endEverySession } from '../sessions/sessions.ts';
import type { Store } from '../stores/store.ts';
import type { TokenPair } from '../tokens/token-pair.ts';
import { found } from './user-lookup.ts';
import type { User } from './user.ts';
import type { Users } from './users.ts';

/** How long after a sign-in an account may be changed without its password, in seconds. */
const recentSignIn = 600;

/** What the operations on one's own account work with. */
export interface OwnAccountDependencies {
  readonly store: Store;
  readonly users: Users;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly emit: EventListener;
  /** Starts a session for a user who has just proven and replaced a password, while its hash is still this one. */
  readonly startSession: (userId: string, device: Device | undefined, provenHash: string) => Promise<TokenPair>;
}

/** What users do to their own accounts. An access token alone is not enough for it. Made by `createAuth`. */
export class OwnAccount {
  readonly #dependencies: OwnAccountDependencies;

  constructor(dependencies: OwnAccountDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Changes name or e-mail address for somebody who has signed in within the last ten minutes, or knows the password:
   * whoever has found an access token may look around with it, and not take the account over.
   *
   * @throws {AuthError} `sign_in_too_old`; `credentials_invalid` for a wrong password; `value_invalid`,
   * `username_taken`, `email_taken`, `user_not_found`, `busy`
   */
  async update(
    id: string,
    changes: { readonly username?: string | undefined; readonly email?: string | null | undefined },
    proof: { readonly sessionId?: string | undefined; readonly currentPassword?: string | undefined },
  ): Promise<User> {
    const { store, users, passwords } = this.#dependencies;
    if (proof.currentPassword !== undefined) {
      const { passwordHash } = await found(store, id);
      if (!(await passwords.verify(proof.currentPassword, passwordHash))) throw wrongPassword();
    } else if (!(await this.#isRecent(proof.sessionId))) {
      throw new AuthError('sign_in_too_old', 'a recent sign-in is needed', { maxAge: recentSignIn });
    }
    return users.update(id, changes);
  }

  /**
   * Changes the password of somebody who knows the current one. Every session ends; a new one starts. If the password
   * is changed otherwise meanwhile, that holds and this does not.
   *
   * @throws {AuthError} `credentials_invalid`, `password_refused`, `user_not_found`, `busy`
   */
  async changePassword(
    id: string,
    input: { readonly currentPassword: string; readonly newPassword: string; readonly device?: Device },
  ): Promise<TokenPair> {
    const { store, passwords, clock, emit, startSession } = this.#dependencies;
    const user = await found(store, id);
    const proven = user.passwordHash;
    if (!(await passwords.verify(input.currentPassword, proven)) || proven === undefined) throw wrongPassword();
    const hash = await passwords.hashNew(input.newPassword, user);
    await store.transaction(async (transaction) => {
      const isProven = await transaction.users.replacePasswordHash(id, proven, hash);
      if (!isProven || (await found(transaction, id)).disabled) throw wrongPassword();
      await endEverySession(transaction, id, clock());
    });
    emit({ type: 'password_changed', at: clock(), userId: id });
    return startSession(id, input.device, hash);
  }

  async #isRecent(sessionId: string | undefined): Promise<boolean> {
    const { store, clock } = this.#dependencies;
    const session = sessionId === undefined ? undefined : await store.sessions.find(sessionId);
    return session !== undefined && clock().getTime() - session.createdAt.getTime() <= recentSignIn * 1000;
  }
}

function wrongPassword(): AuthError {
  return new AuthError('credentials_invalid', 'wrong current password', {});
}
