import type { Statement, StatementResult } from './messages.ts';
import { loadSqlite, type SqliteModule } from './sqlite-module.ts';

type DatabaseSync = InstanceType<SqliteModule['DatabaseSync']>;
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

  run({ sql, parameters }: Statement): StatementResult {
    return this.#prepare(sql)(parameters);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const prepared: PreparedStatement =
      statement.columns().length > 0
        ? (parameters) => ({ rows: statement.all(...parameters) })
        : (parameters) => ({ rows: [], changes: statement.run(...parameters).changes });
    if (this.#statements.size >= mostStatements) this.#statements.clear();
    this.#statements.set(sql, prepared);
    return prepared;
  }
}
