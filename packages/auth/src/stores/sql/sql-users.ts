import { sql, type Kysely, type Selectable } from 'kysely';
import type { NewUserRecord, UserChanges, UserConflict, UserQuery, UserStore } from '../../users/user-store.ts';
import type { UserRecord } from '../../users/user.ts';
import { inParts } from './parts.ts';
import type { Database } from './schema.ts';

/** What stands for the hash of users without a password. No hash looks like it. */
const noPassword = '';

/** Users and their roles in SQL. */
export class SqlUsers implements UserStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async insert({
    id,
    username,
    email,
    passwordHash,
    roles,
    createdAt,
  }: NewUserRecord): Promise<UserConflict | undefined> {
    const inserted = await this.#db
      .insertInto('users')
      .values({
        id,
        username: username.shown,
        username_folded: username.folded,
        email: email?.shown ?? null,
        email_folded: email?.folded ?? null,
        password_hash: passwordHash ?? noPassword,
        disabled_at: null,
        created_at: createdAt.getTime(),
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (inserted === undefined) return this.#conflict(id, username.folded);
    await this.#addRoles(id, roles);
    return undefined;
  }

  async find(id: string): Promise<UserRecord | undefined> {
    return this.#withRoles(await this.#db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst());
  }

  async findByName(usernameFolded: string): Promise<UserRecord | undefined> {
    const row = await this.#db
      .selectFrom('users')
      .selectAll()
      .where('username_folded', '=', usernameFolded)
      .executeTakeFirst();
    return this.#withRoles(row);
  }

  async list({ limit, after, contains }: UserQuery): Promise<readonly UserRecord[]> {
    let query = this.#db.selectFrom('users').selectAll().orderBy('username_folded').limit(limit);
    if (after !== undefined) query = query.where('username_folded', '>', after);
    if (contains !== undefined) {
      const pattern = `%${contains.replace(/[\\%_]/g, String.raw`\$&`)}%`;
      query = query.where(
        sql<boolean>`(username_folded like ${pattern} escape '\\' or email_folded like ${pattern} escape '\\')`,
      );
    }
    const rows = await query.execute();
    const roles = await this.#rolesOf(rows.map((row) => row.id));
    return rows.map((row) => toRecord(row, roles.get(row.id) ?? []));
  }

  async count(): Promise<number> {
    const { count } = await this.#db
      .selectFrom('users')
      .select((row) => row.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return count;
  }

  async update(id: string, { username, email }: UserChanges): Promise<UserConflict | undefined> {
    if (username !== undefined) {
      if (await this.#isTaken('username_folded', username.folded, id)) return 'username';
      await this.#set(id, { username: username.shown, username_folded: username.folded });
    }
    if (email !== undefined) {
      if (email !== null && (await this.#isTaken('email_folded', email.folded, id))) return 'email';
      await this.#set(id, { email: email?.shown ?? null, email_folded: email?.folded ?? null });
    }
    return undefined;
  }

  async setPasswordHash(id: string, hash: string): Promise<void> {
    await this.#set(id, { password_hash: hash });
  }

  async replacePasswordHash(id: string, from: string, to: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('users')
      .set({ password_hash: to })
      .where('id', '=', id)
      .where('password_hash', '=', from)
      .where('password_hash', '!=', noPassword)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  async setDisabled(id: string, at: Date | undefined): Promise<void> {
    await this.#set(id, { disabled_at: at?.getTime() ?? null });
  }

  async setRoles(id: string, roles: readonly string[]): Promise<void> {
    await this.#db.deleteFrom('user_roles').where('user_id', '=', id).execute();
    await this.#addRoles(id, roles);
  }

  async advanceEpoch(id: string): Promise<void> {
    await this.#db
      .updateTable('users')
      .set((row) => ({ epoch: row('epoch', '+', 1) }))
      .where('id', '=', id)
      .execute();
  }

  async advanceEveryEpoch(): Promise<void> {
    await this.#db
      .updateTable('users')
      .set((row) => ({ epoch: row('epoch', '+', 1) }))
      .execute();
  }

  async delete(id: string): Promise<void> {
    await this.#db.deleteFrom('users').where('id', '=', id).execute();
  }

  async countEnabledWithRole(role: string): Promise<number> {
    const { count } = await this.#db
      .selectFrom('user_roles')
      .innerJoin('users', 'users.id', 'user_roles.user_id')
      .where('role', '=', role)
      .where('disabled_at', 'is', null)
      .where('password_hash', '!=', noPassword)
      .select((row) => row.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return count;
  }

  async rolesOfHolders(role: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.#db.selectFrom('user_roles').select('user_id').where('role', '=', role).execute();
    return this.#rolesOf(rows.map((row) => row.user_id));
  }

  async #set(id: string, values: Partial<Selectable<Database['users']>>): Promise<void> {
    await this.#db.updateTable('users').set(values).where('id', '=', id).execute();
  }

  async #addRoles(id: string, roles: readonly string[]): Promise<void> {
    if (roles.length === 0) return;
    await this.#db
      .insertInto('user_roles')
      .values(roles.map((role) => ({ user_id: id, role })))
      .execute();
  }

  async #withRoles(row: Selectable<Database['users']> | undefined): Promise<UserRecord | undefined> {
    if (row === undefined) return undefined;
    return toRecord(row, (await this.#rolesOf([row.id])).get(row.id) ?? []);
  }

  async #rolesOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const roles = new Map<string, string[]>();
    for (const part of inParts(ids)) {
      const rows = await this.#db.selectFrom('user_roles').selectAll().where('user_id', 'in', part).execute();
      for (const { user_id, role } of rows) roles.set(user_id, [...(roles.get(user_id) ?? []), role]);
    }
    return roles;
  }

  async #conflict(id: string, usernameFolded: string): Promise<UserConflict> {
    const hasId =
      (await this.#db.selectFrom('users').select('id').where('id', '=', id).executeTakeFirst()) !== undefined;
    return hasId || (await this.#isTaken('username_folded', usernameFolded, id)) ? 'username' : 'email';
  }

  async #isTaken(column: 'username_folded' | 'email_folded', value: string, byOtherThan: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('users')
      .select('id')
      .where(column, '=', value)
      .where('id', '!=', byOtherThan)
      .executeTakeFirst();
    return row !== undefined;
  }
}

function toRecord(row: Selectable<Database['users']>, roles: readonly string[]): UserRecord {
  return {
    id: row.id,
    username: row.username,
    usernameFolded: row.username_folded,
    email: row.email ?? undefined,
    roles: roles.toSorted(),
    disabled: row.disabled_at !== null,
    createdAt: new Date(row.created_at),
    passwordHash: row.password_hash === noPassword ? undefined : row.password_hash,
    epoch: row.epoch,
  };
}
