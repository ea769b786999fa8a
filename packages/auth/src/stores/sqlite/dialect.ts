import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
} from 'kysely';
import { stepsOf } from '../sql/prepared.ts';
import type { Parameter, Query, Statement, StatementResult, Statements } from './messages.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** How many texts are kept; the queries of this package are far fewer. */
const mostQueries = 500;

/** SQLite for Kysely: transactions and single writes go to the writer, single reads to the reader where there is one. */
export class SqliteDialect implements Dialect {
  readonly #writer: Writer;
  readonly #reader: Reader | undefined;

  constructor(writer: Writer, reader?: Reader) {
    this.#writer = writer;
    this.#reader = reader;
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#writer, this.#reader);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }
}

class SqliteDriver implements Driver {
  readonly #writer: Writer;
  readonly #reader: Reader | undefined;
  readonly #queries = new Queries();
  #lastUnit = 0;

  constructor(writer: Writer, reader: Reader | undefined) {
    this.#writer = writer;
    this.#reader = reader;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  /** Costs nothing: whoever holds one does not keep others waiting before it begins a transaction. */
  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.resolve(new UnitConnection(this.#writer, this.#reader, this.#queries));
  }

  beginTransaction(connection: DatabaseConnection): Promise<void> {
    this.#lastUnit += 1;
    unitConnection(connection).begin(this.#lastUnit);
    return Promise.resolve();
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return unitConnection(connection).end('commit');
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return unitConnection(connection).end('rollback');
  }

  releaseConnection(): Promise<void> {
    return Promise.resolve();
  }

  async destroy(): Promise<void> {
    this.#reader?.close();
    await this.#writer.close();
  }
}

/** One object for each text. */
class Queries {
  readonly #known = new Map<string, Query>();

  of(sql: string): Query {
    const query = this.#known.get(sql) ?? { sql, appends: /\binsert into "?feed_log\b/.test(sql) };
    if (this.#known.size >= mostQueries) this.#known.clear();
    this.#known.set(sql, query);
    return query;
  }
}

/** Outside a transaction each statement is a unit of its own; inside, all of them are one. */
class UnitConnection implements DatabaseConnection {
  readonly #writer: Writer;
  readonly #reader: Reader | undefined;
  readonly #queries: Queries;
  #unit: number | undefined;

  constructor(writer: Writer, reader: Reader | undefined, queries: Queries) {
    this.#writer = writer;
    this.#reader = reader;
    this.#queries = queries;
  }

  /** The first statement goes along with it, and reports what goes wrong. */
  begin(unit: number): void {
    this.#unit = unit;
    this.#writer.do({ kind: 'begin', unit }).catch(() => undefined);
  }

  async end(kind: 'commit' | 'rollback'): Promise<void> {
    if (this.#unit === undefined) return;
    const step = { kind, unit: this.#unit };
    this.#unit = undefined;
    await this.#writer.do(step);
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const [first, ...others] = stepsOf(query).map(({ sql, parameters }) => ({
      query: this.#queries.of(sql),
      parameters: parameters.map(toParameter),
    }));
    if (first === undefined) throw new TypeError('a query of no steps');
    const { columns, rows, changes } = await this.#run([first, ...others]);
    return {
      rows: rows.map((values) => toRow(columns, values) as Row),
      ...(changes === undefined ? {} : { numAffectedRows: BigInt(changes) }),
    };
  }

  streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('SQLite results are not streamed');
  }

  #run(statements: Statements): Promise<StatementResult> {
    if (this.#unit !== undefined) return this.#writer.do({ kind: 'statements', unit: this.#unit, statements });
    const [first, ...others] = statements;
    if (this.#reader !== undefined && others.length === 0 && isRead(first)) return this.#reader.read(first);
    return this.#writer.do({ kind: 'only', statements });
  }
}

/** A wrong guess does no harm: a reader cannot write, and a writer can read. */
function isRead({ query }: Statement): boolean {
  return /^\s*select\b/i.test(query.sql);
}

function toRow(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  columns.forEach((column, index) => {
    row[column] = values[index];
  });
  return row;
}

function toParameter(value: unknown): Parameter {
  if (value instanceof Uint8Array) {
    // A view travels with all of the memory behind it, so it gets memory of its own.
    return value.byteLength === value.buffer.byteLength ? value : Uint8Array.from(value);
  }
  if (value === null || ['string', 'number', 'bigint'].includes(typeof value)) return value as Parameter;
  throw new TypeError('a value for SQLite must be text, a number, bytes or null');
}

function unitConnection(connection: DatabaseConnection): UnitConnection {
  if (connection instanceof UnitConnection) return connection;
  throw new TypeError('a connection of another driver');
}
