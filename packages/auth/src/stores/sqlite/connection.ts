import { nothing, type Statement, type StatementResult } from './messages.ts';
import { loadSqlite, type SqliteModule } from './sqlite-module.ts';

type DatabaseSync = InstanceType<SqliteModule['DatabaseSync']>;
type StatementSync = ReturnType<DatabaseSync['prepare']>;
type PreparedStatement = (parameters: Statement['parameters']) => StatementResult;

/** How many prepared statements are kept; the queries of this package are far fewer. */
const mostStatements = 500;

/** Opens a database to write, durably and beside other processes, for which statements wait `patience` milliseconds. */
export function openToWrite(file: string, patience: number): SqliteConnection {
  return open(file, { readOnly: false }, [
    `pragma busy_timeout = ${patience}`,
    'pragma journal_mode = wal',
    // An acknowledged write survives the power cut.
    'pragma synchronous = full',
    'pragma foreign_keys = on',
  ]);
}

/** Opens a database to read what has been committed, whoever writes meanwhile. */
export function openToRead(file: string, patience: number): SqliteConnection {
  return open(file, { readOnly: true }, [`pragma busy_timeout = ${patience}`]);
}

function open(file: string, options: { readonly readOnly: boolean }, pragmas: readonly string[]): SqliteConnection {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(file, options);
  try {
    for (const pragma of pragmas) database.exec(pragma);
    return new SqliteConnection(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** An open database. Runs one statement at a time and prepares each once. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, PreparedStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Whether a transaction is open: some errors make SQLite undo it by itself. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  run({ query, parameters }: Statement): StatementResult {
    return this.#prepare(query.sql)(parameters);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
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
