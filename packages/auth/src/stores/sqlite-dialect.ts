import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import type * as Sqlite from '@photostructure/sqlite';
import {
  CompiledQuery,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type Driver,
  type SqliteDatabase,
  type SqliteDialectConfig,
} from 'kysely';

type SqliteModule = typeof Sqlite;
type DatabaseSync = InstanceType<SqliteModule['DatabaseSync']>;
type StatementSync = ReturnType<DatabaseSync['prepare']>;
type Bindings = Parameters<StatementSync['all']>;

/** The first SQLite without the WAL-reset bug, which can corrupt a database that several processes write. */
const soundVersion = [3, 51, 3] as const;

/** How long a transaction waits for other processes before it fails, in milliseconds. */
const patience = 5_000;

/** How much of that SQLite waits by itself, which stops the whole process. */
const busyTimeout = 20;

/** SQLite's result code for a lock that another connection holds. */
const busy = 5;

/** How many prepared statements are kept; the queries of this package are far fewer. */
const mostStatements = 500;

/** SQLite for Kysely. Transactions take the write lock at once, so that none of them has to be undone for another. */
export class ImmediateSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(file: string) {
    const config = { database: (): Promise<SqliteDatabase> => Promise.resolve(openDatabase(file)) };
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new ImmediateSqliteDriver(this.#config);
  }
}

class ImmediateSqliteDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const end = performance.now() + patience;
    for (;;) {
      try {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'));
        return;
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw error;
        await setTimeout(busyTimeout);
      }
    }
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection);
    } catch (error) {
      // After a full disk SQLite has rolled back by itself; what led here matters more.
      if (!(error instanceof Error && error.message.includes('no transaction is active'))) throw error;
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === busy;
}

function openDatabase(file: string): SqliteDatabase {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(file);
  try {
    // Opening is the one thing that waits here: the first one changes the file's journal.
    database.exec(`pragma busy_timeout = ${patience}`);
    database.exec('pragma journal_mode = wal');
    // An acknowledged write survives the power cut.
    database.exec('pragma synchronous = full');
    database.exec('pragma foreign_keys = on');
    database.exec(`pragma busy_timeout = ${busyTimeout}`);
    return new KyselySqliteDatabase(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Node's own SQLite where it is sound, else the same interface with a sound SQLite inside. */
function loadSqlite(): SqliteModule {
  const require = createRequire(import.meta.url);
  const name = isSound(process.versions['sqlite']) ? 'node:sqlite' : '@photostructure/sqlite';
  return require(name) as SqliteModule;
}

function isSound(version: string | undefined): boolean {
  if (version === undefined) return false;
  const parts = version.split('.').map(Number);
  const [index] = soundVersion
    .map((wanted, place) => (parts[place] ?? 0) - wanted)
    .filter((difference) => difference !== 0);
  return index === undefined || index > 0;
}

/** Shows Kysely a database of node:sqlite's interface, each statement prepared once. */
class KyselySqliteDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<SqliteDatabase['prepare']>>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  prepare(sql: string): ReturnType<SqliteDatabase['prepare']> {
    const prepared = this.#statements.get(sql) ?? adapt(this.#database.prepare(sql));
    if (this.#statements.size >= mostStatements) this.#statements.clear();
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

function adapt(statement: StatementSync): ReturnType<SqliteDatabase['prepare']> {
  const bind = (parameters: readonly unknown[]): Bindings => parameters as Bindings;
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bind(parameters)),
    run: (parameters) => statement.run(...bind(parameters)),
    iterate: (parameters) => statement.iterate(...bind(parameters)) as IterableIterator<unknown>,
  };
}
