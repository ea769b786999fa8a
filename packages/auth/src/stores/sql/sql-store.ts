import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, sql, type Dialect } from 'kysely';
import type { NewChange } from '../../changes/change.ts';
import type { Migrated, Repositories, Store, Transaction } from '../store.ts';
import type { Wakeups } from '../wakeups.ts';
import { appendChanges, changeQueries, type ChangeQueries } from './change-queries.ts';
import { guardQueries, type GuardQueries } from './guard-queries.ts';
import { loggedEndings } from './logged-endings.ts';
import { letMigrationsPass, migrate } from './migrations.ts';
import { rotatingTogether } from './rotation-batches.ts';
import type { Database, SqlDialect } from './schema.ts';
import { sessionQueries, type SessionQueries } from './session-queries.ts';
import { changingTogether, deathOf, type EndAtOnce, type Transact } from './single-changes.ts';
import { SqlChanges } from './sql-changes.ts';
import { SqlFeedCredentials } from './sql-feed-credentials.ts';
import { SqlGuards } from './sql-guards.ts';
import { SqlRoles } from './sql-roles.ts';
import { SqlSessions, type SessionWrites } from './sql-sessions.ts';
import { SqlSigningKeys } from './sql-signing-keys.ts';
import { SqlUsers } from './sql-users.ts';

/** How to open a database: all that a database file has to say. */
export interface SqlConnection {
  readonly kysely: Dialect;
  readonly dialect: SqlDialect;
  /** Where the data is, without credentials. */
  readonly location: string;
  /** How those who follow the log are woken. */
  readonly wakeups: Wakeups;
  /** Whether an error means that another transaction was in the way: the same once more may do. Default: never. */
  readonly isConflict?: (error: unknown) => boolean;
  /** Whether an error means that somebody else has held a lock for too long. Default: never. */
  readonly isLocked?: (error: unknown) => boolean;
}

/** What is built once for a database. */
interface Queries {
  readonly sessions: SessionQueries;
  readonly changes: ChangeQueries;
  readonly guards: GuardQueries;
}

/** How often a transaction is tried when others are in its way. */
const attempts = 3;

/** The same for a migration, which waits for everybody at once, and the pause between two, in milliseconds. */
const migrationAttempts = 100;
const migrationPause = 150;

/** One store for every SQL database: the queries are the same, only the connection differs. */
export function sqlStore(database: SqlConnection): Store {
  const { kysely, dialect, location, wakeups, isConflict = never, isLocked = never } = database;
  const db = new Kysely<Database>({ dialect: kysely });
  const queries: Queries = {
    sessions: sessionQueries(db, dialect),
    changes: changeQueries(db, dialect),
    guards: guardQueries(db, dialect),
  };
  const write: Transact = (work) =>
    db.transaction().execute(async (connection) => {
      await letMigrationsPass(connection, dialect);
      const done = await work(connection);
      await appendChanges(connection, queries.changes, done.changes);
      return done;
    });
  const transact: Transact = async (work) => {
    const done = await retrying(() => write(work), isConflict);
    if (done.changes.length > 0) wakeups.announce();
    return done;
  };
  const endings = loggedEndings(db, dialect);
  const endAtOnce: EndAtOnce = async (list) => {
    const { rows } = await retrying(() => endings(db, { list }), isConflict);
    if (rows.length > 0) wakeups.announce();
    return rows;
  };
  const { end, append } = changingTogether(queries.sessions, transact, endAtOnce);
  return {
    ...repositories(db, queries, { rotate: rotatingTogether(db, queries.sessions), end }),
    location,
    migrate: () => migratePatiently(db, dialect, (error) => isConflict(error) || isLocked(error)),
    transaction: async (work) => (await transact((connection) => inTransaction(connection, queries, work))).result,
    append,
    watch: (wake) => wakeups.watch(wake),
    ping: async () => {
      await sql`select 1`.execute(db);
    },
    close: async () => {
      wakeups.close();
      await db.destroy();
    },
  };
}

function never(): boolean {
  return false;
}

async function migratePatiently(
  db: Kysely<Database>,
  dialect: SqlDialect,
  isInTheWay: (error: unknown) => boolean,
): Promise<Migrated> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await migrate(db, dialect);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (attempt === migrationAttempts || !isInTheWay(cause)) throw error;
      await delay(migrationPause);
    }
  }
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

function repositories(db: Kysely<Database>, queries: Queries, writes: SessionWrites): Repositories {
  return {
    users: new SqlUsers(db),
    sessions: new SqlSessions(db, queries.sessions, writes),
    roles: new SqlRoles(db),
    keys: new SqlSigningKeys(db),
    changes: new SqlChanges(db, queries.changes),
    feedCredentials: new SqlFeedCredentials(db),
    guards: new SqlGuards(db, queries.guards),
  };
}

async function inTransaction<Result>(
  connection: Kysely<Database>,
  queries: Queries,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<{ readonly result: Result; readonly changes: readonly NewChange[] }> {
  const changes: NewChange[] = [];
  const writes: SessionWrites = {
    rotate: async (rotation) => (await queries.sessions.rotate(connection, rotation)).rows[0],
    end: async (ending, isAwaited) => {
      const { rows } = await queries.sessions.end(connection, ending);
      changes.push(...rows.map((row) => deathOf(row, isAwaited)));
      return rows.length > 0;
    },
  };
  const result = await work({
    ...repositories(connection, queries, writes),
    append: (change) => {
      changes.push(change);
    },
    raiseTokenLifetime: (seconds) => raiseTokenLifetime(connection, seconds),
    beginIncarnation: (name) => beginIncarnation(connection, name),
  });
  return { result, changes };
}

async function raiseTokenLifetime(db: Kysely<Database>, seconds: number): Promise<void> {
  const longer = sql<number>`case when token_lifetime < ${seconds} then ${seconds} else token_lifetime end`;
  await db.updateTable('feed_head').set({ token_lifetime: longer }).execute();
}

/** How many entries a lineage can have had that nobody remembers: 23 days of 500 in each second. */
const mostForgotten = 1_000_000_000;

async function beginIncarnation(db: Kysely<Database>, name: string): Promise<void> {
  await db
    .updateTable('feed_head')
    .set((row) => ({
      incarnation: name,
      sequence: row('sequence', '+', mostForgotten),
      // What anybody remembers of the roles before belongs to another place.
      rights_sequence: row('sequence', '+', mostForgotten),
    }))
    .execute();
}
