import { nothing, plain, type Statement, type StatementResult } from './messages.ts';
import { loadSqlite, type SqliteModule } from './sqlite-module.ts';

type DatabaseSync = InstanceType<SqliteModule['DatabaseSync']>;
type StatementSync = ReturnType<DatabaseSync['prepare']>;
type PreparedStatement = (parameters: Statement['parameters']) => StatementResult;

const begin = plain('begin immediate');
const commit = plain('commit');
const rollback = plain('rollback');

/** How many prepared statements are kept; the queries of this package are far fewer. */
const mostStatements = 500;

/**
 * How often it is tried whether another process still writes, in milliseconds. SQLite would wait by itself, but it looks less
 * and less often, ten times a second in the end: whoever has waited long would be overtaken by everybody who comes.
 */
const lookInterval = 0.5;

/** How long a process leaves the file alone for those who look for it that often, in milliseconds. */
const rest = 2 * lookInterval;

/** For how long a process that had to wait for another one lets others go first, in milliseconds. */
const courtesy = 1_000;

/**
 * Opens a database to write, durably and beside other processes, for which it waits `patience` milliseconds. When it is closed,
 * everything is moved to the file itself, unless somebody else uses it: whoever copies that alone copies all of it.
 */
export function openToWrite(file: string, patience: number): SqliteConnection {
  const pragmas = [
    `pragma busy_timeout = ${patience}`,
    'pragma journal_mode = wal',
    // An acknowledged write survives the power cut.
    'pragma synchronous = full',
    'pragma foreign_keys = on',
    'pragma busy_timeout = 0',
  ];
  return open(file, { readOnly: false, pragmas, patience, lastly: 'pragma wal_checkpoint(truncate)' });
}

/** Opens a database to read what has been committed, whoever writes meanwhile. */
export function openToRead(file: string, patience: number): SqliteConnection {
  return open(file, { readOnly: true, pragmas: [`pragma busy_timeout = ${patience}`], patience });
}

interface Opening {
  readonly readOnly: boolean;
  readonly pragmas: readonly string[];
  readonly patience: number;
  /** What is done before it is closed, if it can be. Default: nothing. */
  readonly lastly?: string;
}

function open(file: string, { readOnly, pragmas, patience, lastly }: Opening): SqliteConnection {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(file, { readOnly });
  try {
    for (const pragma of pragmas) database.exec(pragma);
    return new SqliteConnection(database, patience, lastly);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** An open database. Runs one statement at a time and prepares each once. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #patience: number;
  readonly #lastly: string | undefined;
  readonly #statements = new Map<string, PreparedStatement>();
  /** When it last had to wait for another process, and when it last let go. */
  #waitedAt = Number.NEGATIVE_INFINITY;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync, patience: number, lastly?: string) {
    this.#database = database;
    this.#patience = patience;
    this.#lastly = lastly;
  }

  /** Whether a transaction is open: some errors make SQLite undo it by itself. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  run({ query, parameters }: Statement): StatementResult {
    return this.#prepare(query.sql)(parameters);
  }

  /** Begins to write, in turn with the other processes that do. @throws SQLite's error `busy` when none comes to an end */
  begin(): void {
    this.#letOthersGoFirst();
    const deadline = performance.now() + this.#patience;
    for (;;) {
      try {
        this.run(begin);
        return;
      } catch (error) {
        this.#waitedAt = performance.now();
        if (!isBusy(error) || this.#waitedAt >= deadline) throw error;
        standStill(lookInterval);
      }
    }
  }

  commit(): void {
    this.run(commit);
    this.#endedAt = performance.now();
  }

  rollback(): void {
    this.run(rollback);
    this.#endedAt = performance.now();
  }

  /** Who waits looks now and then, and would never meet the moment between two transactions. */
  #letOthersGoFirst(): void {
    const now = performance.now();
    const left = this.#endedAt + rest - now;
    if (left > 0 && now - this.#waitedAt < courtesy) standStill(left);
  }

  close(): void {
    this.#statements.clear();
    try {
      if (this.#lastly !== undefined) this.#database.exec(this.#lastly);
    } catch {
      // What could not be moved to the file is durable where it is.
    } finally {
      this.#database.close();
    }
  }

  #prepare(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = adapt(this.#database.prepare(sql));
    if (this.#statements.size >= mostStatements) this.#statements.clear();
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/** What nobody wakes. */
const stillness = new Int32Array(new SharedArrayBuffer(4));

function standStill(milliseconds: number): void {
  Atomics.wait(stillness, 0, 0, milliseconds);
}

/** By its message, which the driver gives everywhere. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && error.message.includes('database is locked');
}

function adapt(statement: StatementSync): PreparedStatement {
  let columns = namesOf(statement);
  if (columns.length === 0) return (parameters) => ({ ...nothing, changes: statement.run(...parameters).changes });
  const values = readerOf(statement);
  return (parameters) => {
    const rows = values(parameters);
    // A later version of this program may have added columns since: SQLite has prepared the statement anew by itself.
    if (rows[0] !== undefined && rows[0].length !== columns.length) columns = namesOf(statement);
    return { columns, rows };
  };
}

function namesOf(statement: StatementSync): string[] {
  return statement.columns().map(({ name }) => name);
}

/** Node gives rows as lists from version 24 on. */
function readerOf(statement: StatementSync): (parameters: Statement['parameters']) => unknown[][] {
  if (typeof statement.setReturnArrays === 'function') {
    statement.setReturnArrays(true);
    return (parameters) => statement.all(...parameters) as unknown[][];
  }
  return (parameters) => statement.all(...parameters).map((row: object) => Object.values(row));
}
