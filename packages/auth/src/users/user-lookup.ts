import { AuthError } from '../errors.ts';
import type { Store } from '../stores/store.ts';
import type { UserConflict } from './user-store.ts';
import type { UserRecord } from './user.ts';

/** The user with this id. @throws {AuthError} `user_not_found` */
export async function found(store: Pick<Store, 'users'>, id: string): Promise<UserRecord> {
  return existing(await store.users.find(id));
}

/** What a look-up found. @throws {AuthError} `user_not_found` */
export function existing(user: UserRecord | undefined): UserRecord {
  if (user === undefined) throw new AuthError('user_not_found', 'no such user', {});
  return user;
}

/** @throws {AuthError} `username_taken`, `email_taken` */
export function refuseConflict(conflict: UserConflict | undefined): void {
  if (conflict === 'username') throw new AuthError('username_taken', 'user name taken', {});
  if (conflict === 'email') throw new AuthError('email_taken', 'e-mail address taken', {});
}
