import { AuthError } from '../errors.ts';
import type { Repositories } from '../stores/store.ts';

/**
 * Makes sure that roles exist and stay until the transaction ends. Locks them in one order for everybody, so that two
 * transactions never wait for each other.
 *
 * @throws {AuthError} `role_not_found`
 */
export async function lockRoles({ roles }: Pick<Repositories, 'roles'>, names: readonly string[]): Promise<void> {
  for (const role of [...new Set(names)].toSorted()) {
    if (!(await roles.lock(role))) throw new AuthError('role_not_found', 'no such role', { role });
  }
}
