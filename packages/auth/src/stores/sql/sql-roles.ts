import type { Kysely, Selectable } from 'kysely';
import type { RoleStore } from '../../roles/role-store.ts';
import { isBuiltIn, type Role } from '../../roles/role.ts';
import type { Database } from './schema.ts';

/** Roles in SQL. */
export class SqlRoles implements RoleStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async find(name: string): Promise<Role | undefined> {
    const row = await this.#db.selectFrom('roles').selectAll().where('name', '=', name).executeTakeFirst();
    return row === undefined ? undefined : toRole(row);
  }

  async list(): Promise<readonly Role[]> {
    return (await this.#db.selectFrom('roles').selectAll().orderBy('name').execute()).map(toRole);
  }

  async set(name: string, scopes: readonly string[]): Promise<void> {
    const written = scopes.join(' ');
    await this.#db
      .insertInto('roles')
      .values({ name, scopes: written })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ scopes: written }))
      .execute();
  }

  async delete(name: string): Promise<void> {
    await this.#db.deleteFrom('roles').where('name', '=', name).execute();
  }

  async lock(name: string): Promise<boolean> {
    // A write that changes nothing holds the row in every database; "for update" does not exist in SQLite.
    const { numUpdatedRows } = await this.#db
      .updateTable('roles')
      .set((row) => ({ name: row.ref('name') }))
      .where('name', '=', name)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }
}

/** Reads scopes as they are kept: separated by spaces. A role without scopes adds a space to the list of many roles. */
export function toScopes(scopes: string): readonly string[] {
  return scopes.split(' ').filter((scope) => scope !== '');
}

function toRole({ name, scopes }: Selectable<Database['roles']>): Role {
  return { name, scopes: toScopes(scopes), builtIn: isBuiltIn(name) };
}
