import type { UserRecord } from './user-store.ts';

/** A user as the engine shows it. The password hash never leaves the store. */
export interface User {
  /** A random UUID; the `sub` of the user's tokens. */
  readonly id: string;
  readonly username: string;
  readonly email: string | undefined;
  /** Role names, in alphabetical order. */
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly createdAt: Date;
}

/** Shows a record without its secrets. */
export function toUser({ id, username, email, roles, disabled, createdAt }: UserRecord): User {
  return { id, username, email, roles, disabled, createdAt };
}
