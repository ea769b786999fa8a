import { Kysely, sql, type Dialect } from 'kysely';
import type { NewChange } from '../../changes/change.ts';
import type { Migrated, Repositories, Store, Transaction } from '../store.ts';
import { migrate } from './migrations.ts';
import { rotatingTogether } from './rotation-batches.ts';
import type { Database, SqlDialect } from './schema.ts';
import { sessionQueries, type SessionQueries } from './session-queries.ts';
import { changingTogether, deathOf } from './single-changes.ts';
import { appendChanges, SqlChanges } from './sql-changes.ts';
import { SqlRoles } from './sql-roles.ts';
import { SqlSessions } from './sql-sessions.ts';
import { SqlSigningKeys } from './sql-signing-keys.ts';
import { SqlUsers } from './sql-users.ts';

/** How to open a database: all that a database file has to say. */
export interface SqlConnection {
  readonly kysely: Dialect;
  readonly dialect: SqlDialect;
  /** Where the data is, without credentials. */
  readonly location: string;
  /** Whether an error means that another transaction was in the way: the same once more may do. Default: never. */
  readonly isConflict?: (error: unknown) => boolean;
}

/** How often a transaction is tried when others are in its way. */
const attempts = 3;

/** One store for every SQL database: the queries are the same, only the connection differs. */
export function sqlStore({ kysely, dialect, location, isConflict = () => false }: SqlConnection): Store {
  const db = new Kysely<Database>({ dialect: kysely });
  const queries = sessionQueries(db, dialect);
  const transact = <Result>(work: (connection: Kysely<Database>) => Promise<Result>): Promise<Result> =>
    retrying(() => db.transaction().execute(work), isConflict);
  const { end, append } = changingTogether(queries, transact);
  return {
    ...repositories(db, new SqlSessions(db, queries, { rotate: rotatingTogether(db, queries), end })),
    location,
    migrate: (): Promise<Migrated> => migrate(db, dialect),
    transaction: (work) => transact((connection) => inTransaction(connection, queries, work)),
    append,
    ping: async () => {
      await sql`select 1`.execute(db);
    },
    close: () => db.destroy(),
  };
}

async function retrying<Result>(work: () => Promise<Result>, isConflict: (error: unknown) => boolean): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (attempt === attempts || !isConflict(cause)) throw error;
    }
  }
}

function repositories(db: Kysely<Database>, sessions: SqlSessions): Repositories {
  return {
    users: new SqlUsers(db),
    sessions,
    roles: new SqlRoles(db),
    keys: new SqlSigningKeys(db),
    changes: new SqlChanges(db),
  };
}

async function inTransaction<Result>(
  connection: Kysely<Database>,
  queries: SessionQueries,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const changes: NewChange[] = [];
  const sessions = new SqlSessions(connection, queries, {
    rotate: async (rotation) => (await queries.rotate(connection, rotation)).rows[0],
    end: async (ending) => {
      const { rows } = await queries.end(connection, ending);
      changes.push(...rows.map(deathOf));
      return rows.length > 0;
    },
  });
  const result = await work({
    ...repositories(connection, sessions),
    append: (change) => {
      changes.push(change);
    },
    raiseTokenLifetime: async (seconds) => {
      await connection
        .updateTable('feed_head')
        .set({
          token_lifetime: sql<number>`case when token_lifetime < ${seconds} then ${seconds} else token_lifetime end`,
        })
        .execute();
    },
  });
  await appendChanges(connection, changes);
  return result;
}
