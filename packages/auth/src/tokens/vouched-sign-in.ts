import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import { lockRoles } from '../roles/role-lock.ts';
import { administratorRole, defaultRole, roleList } from '../roles/role.ts';
import type { Device } from '../sessions/session.ts';
import type { Store, Transaction } from '../stores/store.ts';
import { replaceRoles } from '../users/user-roles.ts';
import type { UserRecord } from '../users/user.ts';
import { nameOfSubject, readSubject, subjectRefused } from '../users/vouched-account.ts';
import { firstPartyClient } from './access-tokens.ts';
import { startSession, type SessionStartDependencies } from './session-start.ts';
import type { TokenIssuer } from './token-issuer.ts';
import type { TokenPair } from './token-pair.ts';

/** What vouching works with. */
export interface VouchedSignInDependencies extends SessionStartDependencies {
  readonly store: Store;
  readonly issuer: TokenIssuer;
  readonly emit: EventListener;
}

/** What an application says of one of its own users, whom it has signed in. */
export interface VouchedUser {
  /** The user's id in the application: 1 to 255 characters of ASCII without spaces. It becomes the `sub` of the tokens. */
  readonly subject: string;
  /** The user's roles, which must exist (`auth.roles.set`). Default: those of last time; the first time `user`. */
  readonly roles?: readonly string[] | undefined;
  /** Less than the roles grant, separated by spaces. Default: all that they grant. */
  readonly scope?: string | undefined;
  readonly device?: Device | undefined;
}

/** What vouching for a user changed about the account that stands for them here. */
interface Standing {
  readonly user: UserRecord;
  readonly isNew: boolean;
  readonly hasNewRoles: boolean;
}

/**
 * Signs users in on the word of an application that keeps them itself. Each has an account here, by the application's own
 * id and without a password: sessions, roles, disabling and the change log work for it like for any other.
 */
export class VouchedSignIn {
  readonly #dependencies: VouchedSignInDependencies;

  constructor(dependencies: VouchedSignInDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws {AuthError} `value_invalid`, `role_not_found`, `scope_invalid`; `credentials_invalid` for a disabled user */
  async forUser({ subject, roles, scope, device }: VouchedUser): Promise<TokenPair> {
    const { store, issuer, clock, emit } = this.#dependencies;
    const userId = readSubject(subject);
    if (userId === firstPartyClient) throw subjectRefused('it is the name of a client');
    const wanted = roles === undefined ? undefined : roleList(roles);
    const { grant, isNew, hasNewRoles } = await store.transaction(async (transaction) => {
      // First of all, so that a change that comes in between kills the token instead of being missed by it.
      const asOf = await transaction.changes.head();
      const standing = await this.#bringUpToDate(transaction, userId, wanted);
      const started = { user: standing.user, asOf, scope, device };
      return { ...standing, grant: await startSession(transaction, started, this.#dependencies) };
    });
    const at = clock();
    if (isNew) emit({ type: 'user_created', at, userId });
    if (hasNewRoles) emit({ type: 'roles_set', at, userId, roles: grant.user.roles });
    emit({ type: 'signed_in', at, userId, sessionId: grant.session.id });
    return issuer.issue(grant);
  }

  /** Roles are locked before the account is looked at once more: whoever else changes it waits there. */
  async #bringUpToDate(transaction: Transaction, id: string, wanted: readonly string[] | undefined): Promise<Standing> {
    const known = vouchable(await transaction.users.find(id));
    if (known !== undefined && hasRoles(known, wanted)) return { user: known, isNew: false, hasNewRoles: false };

    const roles = wanted ?? known?.roles ?? [defaultRole];
    await lockRoles(transaction, [administratorRole, ...roles]);
    const isNew = await this.#insert(transaction, id, roles);
    const user = vouchable(await transaction.users.find(id));
    if (user === undefined) throw new AuthError('store_unavailable', 'an account kept changing', { retryAfter: 1 });
    if (hasRoles(user, wanted)) return { user, isNew, hasNewRoles: false };
    await replaceRoles(transaction, id, roles, this.#dependencies.clock());
    return { user: { ...user, roles }, isNew, hasNewRoles: true };
  }

  async #insert(transaction: Transaction, id: string, roles: readonly string[]): Promise<boolean> {
    const createdAt = this.#dependencies.clock();
    const account = { id, username: nameOfSubject(id), email: undefined, passwordHash: undefined, roles, createdAt };
    return (await transaction.users.insert(account)) === undefined;
  }
}

/** An account that an application may vouch for. @throws {AuthError} `value_invalid`, `credentials_invalid` */
function vouchable(user: UserRecord | undefined): UserRecord | undefined {
  if (user === undefined) return undefined;
  if (user.passwordHash !== undefined) {
    throw subjectRefused('it is the id of an account with a password here: tokens.issue signs its user in');
  }
  if (user.disabled) throw new AuthError('credentials_invalid', 'sign-in refused', {});
  return user;
}

function hasRoles({ roles }: UserRecord, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || roles.join(' ') === wanted.join(' ');
}
