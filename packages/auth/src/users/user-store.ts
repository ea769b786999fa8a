import type { UserRecord } from './user.ts';
import type { Folded } from './username.ts';

export interface NewUserRecord {
  readonly id: string;
  readonly username: Folded;
  readonly email: Folded | undefined;
  readonly passwordHash: string | undefined;
  readonly roles: readonly string[];
  readonly createdAt: Date;
}

/** Which unique value another user already has. */
export type UserConflict = 'username' | 'email';

export interface UserChanges {
  readonly username?: Folded;
  readonly email?: Folded | null;
}

export interface UserQuery {
  readonly limit: number;
  /** Only users whose folded name sorts after this. */
  readonly after: string | undefined;
  /** Only users whose folded name or e-mail address contains this. */
  readonly contains: string | undefined;
}

/** Keeps users and which roles they have. */
export interface UserStore {
  /** Adds a user unless its id, name or e-mail address is taken; says which (the id goes with the name). */
  insert(user: NewUserRecord): Promise<UserConflict | undefined>;
  find(id: string): Promise<UserRecord | undefined>;
  findByName(usernameFolded: string): Promise<UserRecord | undefined>;
  /** In order of their folded names. */
  list(query: UserQuery): Promise<readonly UserRecord[]>;
  count(): Promise<number>;
  /** Changes what is given; says what is taken. Nothing happens to a user who does not exist. */
  update(id: string, changes: UserChanges): Promise<UserConflict | undefined>;
  setPasswordHash(id: string, hash: string): Promise<void>;
  /** Replaces a hash only while it is still the one that was verified; tells whether it was. */
  replacePasswordHash(id: string, from: string, to: string): Promise<boolean>;
  setDisabled(id: string, at: Date | undefined): Promise<void>;
  setRoles(id: string, roles: readonly string[]): Promise<void>;
  /** Ends every session the user has, by one write. */
  advanceEpoch(id: string): Promise<void>;
  /** The same for every user. */
  advanceEveryEpoch(): Promise<void>;
  delete(id: string): Promise<void>;
  /** How many enabled users with a password have the role. */
  countEnabledWithRole(role: string): Promise<number>;
  /** All roles of everybody who has this one, by user id. */
  rolesOfHolders(role: string): Promise<ReadonlyMap<string, readonly string[]>>;
}
