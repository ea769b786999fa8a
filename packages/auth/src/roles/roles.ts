import { isScope } from '@sallyport/jwt';
import { roleDefinition, userOverride } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Clock } from '../ports.ts';
import { lastIssue } from '../sessions/sessions.ts';
import type { Store } from '../stores/store.ts';
import { administratorRole, isBuiltIn, validateRoleName, type Role } from './role.ts';

/** What the operations on roles work with. */
export interface RoleDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly emit: EventListener;
}

/** Roles and what they grant. A change reaches tokens that are already issued. Made by `createAuth`. */
export class Roles {
  readonly #dependencies: RoleDependencies;

  constructor(dependencies: RoleDependencies) {
    this.#dependencies = dependencies;
  }

  /** Every role, in alphabetical order. */
  list(): Promise<readonly Role[]> {
    return this.#dependencies.store.roles.list();
  }

  /** @throws {AuthError} `role_not_found` */
  async get(name: string): Promise<Role> {
    const role = await this.#dependencies.store.roles.find(name);
    if (role === undefined) throw new AuthError('role_not_found', 'no such role', { role: name });
    return role;
  }

  /**
   * Makes a role or replaces what it grants. `*` grants everything, `todos:*` everything that begins with `todos:`.
   *
   * @throws {AuthError} `value_invalid`; `role_built_in` for `admin`
   */
  async set(name: string, scopes: readonly string[]): Promise<Role> {
    const { store, clock, emit } = this.#dependencies;
    validateRoleName(name);
    if (name === administratorRole) throw new AuthError('role_built_in', 'admin is fixed', { role: name });
    for (const scope of scopes) validateScope(scope);
    const sorted = [...new Set(scopes)].toSorted();
    await store.transaction(async (transaction) => {
      await transaction.roles.set(name, sorted);
      transaction.append(roleDefinition(name, sorted));
    });
    emit({ type: 'role_set', at: clock(), role: name, scopes: sorted });
    return { name, scopes: sorted, builtIn: isBuiltIn(name) };
  }

  /**
   * Removes a role from the system and from everybody who has it.
   *
   * Each of them gets an override in the change log, so that a later role of the same name gives nothing to tokens
   * that named the old one.
   *
   * @throws {AuthError} `role_not_found`; `role_built_in` for `admin` and `user`
   */
  async delete(name: string): Promise<void> {
    const { store, clock, emit } = this.#dependencies;
    if (isBuiltIn(name)) throw new AuthError('role_built_in', 'built-in roles stay', { role: name });
    await store.transaction(async (transaction) => {
      if (!(await transaction.roles.lock(name))) {
        throw new AuthError('role_not_found', 'no such role', { role: name });
      }
      const holders = await transaction.users.rolesOfHolders(name);
      await transaction.roles.delete(name);
      for (const [id, roles] of holders) {
        const left = roles.filter((role) => role !== name).toSorted();
        transaction.append(userOverride(id, left, await lastIssue(transaction, id, clock())));
      }
      transaction.append(roleDefinition(name, undefined));
    });
    emit({ type: 'role_deleted', at: clock(), role: name });
  }
}

function validateScope(scope: string): void {
  const wildcard = scope.indexOf('*');
  const misplaced = wildcard !== -1 && scope !== '*' && (!scope.endsWith(':*') || wildcard !== scope.length - 1);
  if (isScope(scope) && scope.length <= 128 && !misplaced) return;
  throw new AuthError('value_invalid', 'scope refused', {
    field: 'scopes',
    reason:
      'a scope is printable ASCII without spaces, quotes and backslashes, such as todos:read; * alone or at the end of todos:*',
  });
}
