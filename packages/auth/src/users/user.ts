/** A user as the engine shows it. The password hash never leaves the store. */
export interface User {
  /** The `sub` of the user's tokens: a random UUID, or the id by which an application vouches for them. */
  readonly id: string;
  readonly username: string;
  readonly email: string | undefined;
  /** Role names, in alphabetical order. */
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly createdAt: Date;
}

/** A user as it is kept. */
export interface UserRecord extends User {
  /** The name as it is compared and sorted by. */
  readonly usernameFolded: string;
  /** Absent when an application signs the user in. */
  readonly passwordHash: string | undefined;
  /** Counts the times all sessions were ended at once: a session of an older epoch is over. */
  readonly epoch: number;
}

/** Shows a record without its secrets. */
export function toUser({ id, username, email, roles, disabled, createdAt }: UserRecord): User {
  return { id, username, email, roles, disabled, createdAt };
}
