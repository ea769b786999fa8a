import type { NewUserRecord, UserChanges, UserConflict, UserQuery, UserRecord, UserStore } from '@sallyport/auth/store';
import { change, sorted, type Run, type Tables, type UserRow } from './tables.ts';

export class MapUsers implements UserStore {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  insert(user: NewUserRecord): Promise<UserConflict | undefined> {
    return this.#run(({ users }) => {
      const conflict = users.has(user.id) ? 'username' : conflictOf(users, user.id, user);
      if (conflict === undefined) users.set(user.id, { ...user, disabledAt: undefined, epoch: 0 });
      return conflict;
    });
  }

  find(id: string): Promise<UserRecord | undefined> {
    return this.#run(({ users }) => toRecord(users.get(id)));
  }

  findByName(usernameFolded: string): Promise<UserRecord | undefined> {
    return this.#run(({ users }) =>
      toRecord([...users.values()].find(({ username }) => username.folded === usernameFolded)),
    );
  }

  list({ limit, after, contains }: UserQuery): Promise<readonly UserRecord[]> {
    const isWanted = ({ username, email }: UserRow): boolean =>
      (after === undefined || username.folded > after) &&
      (contains === undefined || username.folded.includes(contains) || email?.folded.includes(contains) === true);
    return this.#run(({ users }) =>
      sorted([...users.values()].filter(isWanted), ({ username }) => username.folded)
        .slice(0, limit)
        .flatMap((row) => toRecord(row) ?? []),
    );
  }

  count(): Promise<number> {
    return this.#run(({ users }) => users.size);
  }

  update(id: string, { username, email }: UserChanges): Promise<UserConflict | undefined> {
    return this.#run(({ users }) => {
      const conflict = conflictOf(users, id, { username, email: email ?? undefined });
      if (conflict !== undefined) return conflict;
      if (username !== undefined) change(users, id, { username });
      if (email !== undefined) change(users, id, { email: email ?? undefined });
      return undefined;
    });
  }

  setPasswordHash(id: string, passwordHash: string): Promise<void> {
    return this.#set(id, { passwordHash });
  }

  replacePasswordHash(id: string, from: string, to: string): Promise<boolean> {
    return this.#run(({ users }) =>
      change(users, id, { passwordHash: to }, ({ passwordHash }) => passwordHash === from),
    );
  }

  setDisabled(id: string, disabledAt: Date | undefined): Promise<void> {
    return this.#set(id, { disabledAt });
  }

  setRoles(id: string, roles: readonly string[]): Promise<void> {
    return this.#set(id, { roles });
  }

  advanceEpoch(id: string): Promise<void> {
    return this.#run(({ users }) => advance(users, users.get(id)));
  }

  advanceEveryEpoch(): Promise<void> {
    return this.#run(({ users }) => {
      for (const row of users.values()) advance(users, row);
    });
  }

  delete(id: string): Promise<void> {
    return this.#run(({ users, sessions }) => {
      users.delete(id);
      for (const session of sessions.values()) if (session.userId === id) sessions.delete(session.id);
    });
  }

  countEnabledWithRole(role: string): Promise<number> {
    const counts = ({ disabledAt, passwordHash }: UserRow): boolean =>
      disabledAt === undefined && passwordHash !== undefined;
    return this.#run((tables) => holdersOf(tables, role).filter(counts).length);
  }

  rolesOfHolders(role: string): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#run((tables) => new Map(holdersOf(tables, role).map(({ id, roles }) => [id, roles])));
  }

  #set(id: string, changes: Partial<UserRow>): Promise<void> {
    return this.#run(({ users }) => {
      change(users, id, changes);
    });
  }
}

function conflictOf(
  users: Tables['users'],
  id: string,
  { username, email }: { readonly [Name in 'username' | 'email']: UserRow[Name] | undefined },
): UserConflict | undefined {
  const others = [...users.values()].filter((row) => row.id !== id);
  if (others.some((row) => row.username.folded === username?.folded)) return 'username';
  if (email !== undefined && others.some((row) => row.email?.folded === email.folded)) return 'email';
  return undefined;
}

function advance(users: Tables['users'], row: UserRow | undefined): void {
  if (row !== undefined) change(users, row.id, { epoch: row.epoch + 1 });
}

function holdersOf({ users }: Tables, role: string): UserRow[] {
  return [...users.values()].filter(({ roles }) => roles.includes(role));
}

export function toRecord(row: UserRow | undefined): UserRecord | undefined {
  if (row === undefined) return undefined;
  const { id, username, email, roles, disabledAt, createdAt, passwordHash, epoch } = row;
  return {
    id,
    username: username.shown,
    usernameFolded: username.folded,
    email: email?.shown,
    roles: roles.toSorted(),
    disabled: disabledAt !== undefined,
    createdAt,
    passwordHash,
    epoch,
  };
}
