import { randomBytes } from 'node:crypto';
import { sql, type Kysely, type Transaction } from 'kysely';
import { roleDefinition } from '../../changes/change.ts';
import { AuthError } from '../../errors.ts';
import { builtInRoles } from '../../roles/role.ts';
import type { Migrated } from '../store.ts';
import { appendChanges, changeQueries } from './change-queries.ts';
import type { Database, SqlDialect } from './schema.ts';

type Migration = (db: Transaction<Database>, dialect: SqlDialect) => Promise<void>;

/** In order; the schema's version is their number. A migration that has been released never changes. */
const migrations: readonly Migration[] = [createTables, addRightsSequence, addFeed, leaveRoomInSessions];

/** How long a migration waits for a table before it gives way, in milliseconds: less than PostgreSQL's `deadlock_timeout`. */
const longestLockWait = 300;

/** Any number will do, as long as nothing else in the database locks by it. */
const migrationLock = 7_255_197;

/**
 * Brings the schema up to date in one transaction: all of it or nothing. Several processes that start at once wait for
 * each other and find the work done.
 */
export async function migrate(db: Kysely<Database>, dialect: SqlDialect): Promise<Migrated> {
  // Most servers start on a database of their own version, and some are too old for it: nobody has to wait for either.
  const before = dialect.name === 'postgres' ? await committedVersion(db) : 0;
  refuseNewer(before);
  if (before === migrations.length) return { from: before, to: before };
  return db.transaction().execute(async (transaction) => {
    // SQLite's transactions are exclusive from the start (see sqlite/group-commit.ts).
    if (dialect.name === 'postgres') await sql`select pg_advisory_xact_lock(${migrationLock})`.execute(transaction);
    await sql`create table if not exists schema_version (version integer not null)`.execute(transaction);
    const known = await versionOf(transaction);
    const from = known ?? 0;
    refuseNewer(from);
    if (from > 0 && from < migrations.length && dialect.name === 'postgres') await lockTables(transaction);
    for (const apply of migrations.slice(from)) await apply(transaction, dialect);
    if (from === 0) await seed(transaction, dialect);
    if (known === undefined) await sql`insert into schema_version (version) values (0)`.execute(transaction);
    await sql`update schema_version set version = ${migrations.length}`.execute(transaction);
    return { from, to: migrations.length };
  });
}

/** The version as it is without waiting for anybody; 0 where there is none yet. */
async function committedVersion(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ known: boolean }>`select to_regclass('schema_version') is not null as known`.execute(db);
  return rows[0]?.known === true ? ((await versionOf(db)) ?? 0) : 0;
}

async function versionOf(db: Kysely<Database>): Promise<number | undefined> {
  const { rows } = await sql<{ version: number }>`select version from schema_version`.execute(db);
  return rows[0]?.version;
}

/**
 * Lets a migration that waits go first. Transactions lock tables in any order; before its first statement one holds
 * nothing that a migration waits for.
 */
export async function letMigrationsPass(db: Kysely<Database>, { name }: SqlDialect): Promise<void> {
  if (name === 'postgres') await sql`select pg_advisory_xact_lock_shared(${migrationLock})`.execute(db);
}

/**
 * Waits for everybody who is at work: servers of the version before go on while a later one migrates. No transaction is
 * under way (see {@link letMigrationsPass}), and statements that stand alone lock tables in this order. Should one hold
 * what this waits for and wait for what this holds all the same, it gives way sooner than the database would call that a
 * deadlock, and is tried again.
 */
async function lockTables(db: Transaction<Database>): Promise<void> {
  const tables = ['sessions', 'users', 'user_roles', 'roles', 'signing_keys', 'feed_head', 'feed_log'] as const;
  await sql`set local lock_timeout = ${sql.lit(longestLockWait)}`.execute(db);
  await sql`lock table ${sql.join(tables.map((name) => sql.table(name)))} in access exclusive mode`.execute(db);
  await sql`set local lock_timeout to default`.execute(db);
}

function refuseNewer(version: number): void {
  if (version <= migrations.length) return;
  const problem =
    `the database has schema version ${version}, this program knows ${migrations.length}: ` +
    'it was written by a newer Sallyport; upgrade this program, or use the database of before';
  throw new AuthError('config_invalid', problem, { problems: [problem] });
}

/** What every database begins with, in the tables of the present version. */
async function seed(db: Transaction<Database>, dialect: SqlDialect): Promise<void> {
  await db
    .insertInto('feed_head')
    .values({ id: 1, incarnation: randomBytes(8).toString('base64url'), sequence: 0, token_lifetime: 0 })
    .execute();
  const roles = Object.entries(builtInRoles);
  await db
    .insertInto('roles')
    .values(roles.map(([name, scopes]) => ({ name, scopes: scopes.join(' ') })))
    .execute();
  await appendChanges(
    db,
    changeQueries(db, dialect),
    roles.map(([name, scopes]) => roleDefinition(name, scopes)),
  );
}

async function createTables(db: Transaction<Database>, dialect: SqlDialect): Promise<void> {
  await createAccountTables(db);
  await createSessionTables(db, dialect);
  await createFeedTables(db);
}

async function createAccountTables(db: Transaction<Database>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('username', 'text', (column) => column.notNull())
    .addColumn('username_folded', 'text', (column) => column.notNull().unique())
    .addColumn('email', 'text')
    .addColumn('email_folded', 'text', (column) => column.unique())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('epoch', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('disabled_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('roles')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('user_roles')
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('role', 'text', (column) => column.notNull().references('roles.name').onDelete('cascade'))
    .addPrimaryKeyConstraint('user_roles_pk', ['user_id', 'role'])
    .execute();
  await db.schema.createIndex('user_roles_by_role').on('user_roles').column('role').execute();
}

async function createSessionTables(db: Transaction<Database>, { bytes }: SqlDialect): Promise<void> {
  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('user_epoch', 'integer', (column) => column.notNull())
    .addColumn('generation', 'bigint', (column) => column.notNull())
    .addColumn('base', 'bigint', (column) => column.notNull())
    .addColumn('minted_at', 'bigint', (column) => column.notNull())
    .addColumn('rotated_at', 'bigint', (column) => column.notNull())
    .addColumn('salt', sql.raw(bytes), (column) => column.notNull())
    .addColumn('scope', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .addColumn('idle_expires_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('end_reason', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('address', 'text')
    .execute();
  await db.schema.createIndex('sessions_by_user').on('sessions').columns(['user_id', 'created_at']).execute();
  await db.schema
    .createTable('signing_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('algorithm', 'text', (column) => column.notNull())
    .addColumn('public_jwk', 'text', (column) => column.notNull())
    .addColumn('encrypted_private_key', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('activates_at', 'bigint', (column) => column.notNull())
    .execute();
}

async function createFeedTables(db: Transaction<Database>): Promise<void> {
  await db.schema
    .createTable('feed_head')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('incarnation', 'text', (column) => column.notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('token_lifetime', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('feed_log')
    .addColumn('sequence', 'bigint', (column) => column.primaryKey())
    .addColumn('kind', 'integer', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('critical', 'integer', (column) => column.notNull())
    .addColumn('data', 'text')
    .execute();
  await db.schema.createIndex('feed_log_by_key').on('feed_log').columns(['kind', 'key']).execute();
}

/** Whatever was said about roles before may have been the last entry. */
async function addRightsSequence(db: Transaction<Database>): Promise<void> {
  await db.schema
    .alterTable('feed_head')
    .addColumn('rights_sequence', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute();
  await sql`update feed_head set rights_sequence = sequence`.execute(db);
}

/** What it takes to hand the log on to guards elsewhere: who they are, where they have got to, who may ask. */
async function addFeed(db: Transaction<Database>): Promise<void> {
  await db.schema
    .alterTable('feed_log')
    .addColumn('acknowledge', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema.createIndex('feed_log_by_expiry').on('feed_log').columns(['expires_at', 'sequence']).execute();
  await db.schema
    .alterTable('feed_head')
    .addColumn('credentials', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createTable('feed_credentials')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('secret_hash', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('guards')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('acknowledged', 'bigint', (column) => column.notNull())
    .addColumn('lease_until', 'bigint', (column) => column.notNull())
    .execute();
}

/**
 * PostgreSQL writes every refresh of a session beside the version before. With half of each page free, that is the same
 * page and no index: the table keeps its size, where it grew tenfold between two of its cleanings.
 */
async function leaveRoomInSessions(db: Transaction<Database>, { name }: SqlDialect): Promise<void> {
  if (name === 'postgres') await sql`alter table sessions set (fillfactor = 50)`.execute(db);
}
