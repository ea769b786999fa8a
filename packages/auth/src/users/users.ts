import { userFloor } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { Clock, Random } from '../ports.ts';
import { endEverySession, lastIssue } from '../sessions/sessions.ts';
import { lockRoles } from '../roles/role-lock.ts';
import { administratorRole, defaultRole, roleList } from '../roles/role.ts';
import type { Store, Transaction } from '../stores/store.ts';
import { readEmailAddress } from './email-address.ts';
import { readCursor, writeCursor, type Page } from './page.ts';
import { existing, found, refuseConflict } from './user-lookup.ts';
import { replaceRoles } from './user-roles.ts';
import type { UserChanges } from './user-store.ts';
import { toUser, type User, type UserRecord } from './user.ts';
import { foldUsername, readUsername } from './username.ts';

/** How long a search may be, in characters. */
const longestSearch = 100;

/** What a new account needs. */
export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly email?: string | undefined;
}

/** Which users to list: `limit` (1 to 100, default 50) from `cursor` on, whose name or e-mail address contains `q`. */
export interface UserListQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly q?: string | undefined;
}

/** What the operations on users work with. */
export interface UserDependencies {
  readonly store: Store;
  readonly passwords: Passwords;
  readonly registration: 'open' | 'closed';
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
}

/** Accounts: who may sign in, and with which roles. Made by `createAuth`. */
export class Users {
  readonly #dependencies: UserDependencies;

  constructor(dependencies: UserDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Makes an account for somebody who asks for one; it has the role `user`.
   *
   * @throws {AuthError} `registration_closed`, `value_invalid`, `password_refused`, `username_taken`, `email_taken`, `busy`
   */
  async register(user: NewUser): Promise<User> {
    if (this.#dependencies.registration === 'closed') {
      throw new AuthError('registration_closed', 'registration is closed', {});
    }
    const created = await this.#add(user, [defaultRole]);
    this.#emit('user_registered', created.id);
    return created;
  }

  /**
   * Makes an account on an administrator's word. Default roles: `user`.
   *
   * @throws {AuthError} `role_not_found`, `value_invalid`, `password_refused`, `username_taken`, `email_taken`, `busy`
   */
  async create(user: NewUser & { readonly roles?: readonly string[] | undefined }): Promise<User> {
    const created = await this.#add(user, roleList(user.roles ?? [defaultRole]));
    this.#emit('user_created', created.id);
    return created;
  }

  /** @throws {AuthError} `user_not_found` */
  async get(id: string): Promise<User> {
    return toUser(await found(this.#dependencies.store, id));
  }

  /** Finds a user by id or by name, whatever the name's case. @throws {AuthError} `user_not_found` */
  async find(idOrUsername: string): Promise<User> {
    const { users } = this.#dependencies.store;
    const user = (await users.find(idOrUsername)) ?? (await users.findByName(foldUsername(idOrUsername)));
    return toUser(existing(user));
  }

  /** Lists users in order of their names. @throws {AuthError} `value_invalid` */
  async list({ limit = 50, cursor, q }: UserListQuery = {}): Promise<Page<User>> {
    if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
      const reason = 'use a whole number from 1 to 100';
      throw new AuthError('value_invalid', 'limit refused', { field: 'limit', reason });
    }
    if (q !== undefined && q.length > longestSearch) {
      const reason = `use at most ${longestSearch} characters`;
      throw new AuthError('value_invalid', 'search refused', { field: 'q', reason });
    }
    const rows = await this.#dependencies.store.users.list({
      limit: limit + 1,
      after: cursor === undefined ? undefined : readCursor(cursor),
      contains: q === undefined ? undefined : foldUsername(q),
    });
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const more = rows.length > limit && last !== undefined;
    return { items: items.map(toUser), nextCursor: more ? writeCursor(last.usernameFolded) : undefined };
  }

  count(): Promise<number> {
    return this.#dependencies.store.users.count();
  }

  /** Whether somebody who signs in here can administer the system. */
  async hasAdministrator(): Promise<boolean> {
    return (await this.#dependencies.store.users.countEnabledWithRole(administratorRole)) > 0;
  }

  /**
   * Changes name or e-mail address; `email: null` removes the address.
   *
   * @throws {AuthError} `user_not_found`, `value_invalid`, `username_taken`, `email_taken`
   */
  async update(
    id: string,
    { username, email }: { readonly username?: string | undefined; readonly email?: string | null | undefined },
  ): Promise<User> {
    const wanted: UserChanges = {
      ...(username === undefined ? {} : { username: readUsername(username) }),
      ...(email === undefined ? {} : { email: email === null ? null : readEmailAddress(email) }),
    };
    const user = await this.#dependencies.store.transaction(async (transaction) => {
      await found(transaction, id);
      refuseConflict(await transaction.users.update(id, wanted));
      return found(transaction, id);
    });
    this.#emit('user_updated', id);
    return toUser(user);
  }

  /**
   * Sets a password on an administrator's word. Every session ends.
   *
   * @throws {AuthError} `user_not_found`, `password_refused`, `busy`; `passwordless_account` when an application signs
   * the user in
   */
  async setPassword(id: string, newPassword: string): Promise<User> {
    const { store } = this.#dependencies;
    const account = await found(store, id);
    // An account never changes its kind, so nothing can come in between.
    if (account.passwordHash === undefined) throw new AuthError('passwordless_account', 'no password here', {});
    const hash = await this.#dependencies.passwords.hashNew(newPassword, account);
    const user = await store.transaction(async (transaction) => {
      await transaction.users.setPasswordHash(id, hash);
      await endEverySession(transaction, id, this.#dependencies.clock());
      return found(transaction, id);
    });
    this.#emit('password_changed', id);
    return toUser(user);
  }

  /**
   * Replaces a user's roles, 32 at most; running sessions have the new ones at once.
   *
   * @throws {AuthError} `user_not_found`, `role_not_found`, `value_invalid`, `last_administrator`
   */
  async setRoles(id: string, roles: readonly string[]): Promise<User> {
    const { clock, emit } = this.#dependencies;
    const wanted = roleList(roles);
    const user = await this.#keepingAnAdministrator(id, wanted, async (transaction) => {
      await replaceRoles(transaction, id, wanted, clock());
    });
    emit({ type: 'roles_set', at: clock(), userId: id, roles: wanted });
    return { ...toUser(user), roles: wanted };
  }

  /** Ends every session and refuses new ones. @throws {AuthError} `user_not_found`, `last_administrator` */
  async disable(id: string): Promise<User> {
    const user = await this.#keepingAnAdministrator(id, [], async (transaction, before) => {
      if (before.disabled) return;
      await transaction.users.setDisabled(id, this.#dependencies.clock());
      await endEverySession(transaction, id, this.#dependencies.clock());
    });
    if (!user.disabled) this.#emit('user_disabled', id);
    return { ...toUser(user), disabled: true };
  }

  /** Lets a disabled user sign in again; ended sessions stay ended. @throws {AuthError} `user_not_found` */
  async enable(id: string): Promise<User> {
    const user = await this.#dependencies.store.transaction(async (transaction) => {
      await transaction.users.setDisabled(id, undefined);
      return found(transaction, id);
    });
    this.#emit('user_enabled', id);
    return toUser(user);
  }

  /** Removes a user and all that belongs to them. @throws {AuthError} `user_not_found`, `last_administrator` */
  async delete(id: string): Promise<void> {
    const { clock } = this.#dependencies;
    await this.#keepingAnAdministrator(id, [], async (transaction) => {
      const issuedUntil = await lastIssue(transaction, id, clock());
      await transaction.users.delete(id);
      transaction.append(userFloor(id, issuedUntil));
    });
    this.#emit('user_deleted', id);
  }

  async #add(user: NewUser, roles: readonly string[]): Promise<User> {
    const { store, clock, random } = this.#dependencies;
    const username = readUsername(user.username);
    const email = user.email === undefined ? undefined : readEmailAddress(user.email);
    const passwordHash = await this.#dependencies.passwords.hashNew(user.password, {
      username: username.shown,
      email: email?.shown,
    });
    const id = random.uuid();
    const record = await store.transaction(async (transaction) => {
      await lockRoles(transaction, roles);
      const createdAt = clock();
      refuseConflict(await transaction.users.insert({ id, username, email, passwordHash, roles, createdAt }));
      return found(transaction, id);
    });
    return toUser(record);
  }

  /**
   * Runs a change that may take an administrator away, and undoes it when nobody would be left. Those whom an
   * application vouches for come and go with it, so they do not count. All changes of this kind wait for each other at the role; the roles they give are locked with it, in one order for everybody.
   */
  #keepingAnAdministrator(
    id: string,
    given: readonly string[],
    change: (transaction: Transaction, before: UserRecord) => Promise<void>,
  ): Promise<UserRecord> {
    return this.#dependencies.store.transaction(async (transaction) => {
      await lockRoles(transaction, [administratorRole, ...given]);
      const before = await found(transaction, id);
      await change(transaction, before);
      const wasAdministrator =
        before.roles.includes(administratorRole) && !before.disabled && before.passwordHash !== undefined;
      if (wasAdministrator && (await transaction.users.countEnabledWithRole(administratorRole)) === 0) {
        throw new AuthError('last_administrator', 'the last administrator stays', {});
      }
      return before;
    });
  }

  #emit(type: UserEvent, userId: string): void {
    this.#dependencies.emit({ type, at: this.#dependencies.clock(), userId });
  }
}

type UserEvent =
  | 'user_registered'
  | 'user_created'
  | 'user_updated'
  | 'user_disabled'
  | 'user_enabled'
  | 'user_deleted'
  | 'password_changed';
