import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult, TransactionSettings } from 'kysely';
import { AuthError, isAuthError } from '../errors.ts';
import { ListColumn } from './sql/list.ts';

/** How long a client had better wait before it asks again, in seconds. */
const retryAfter = 1;

/**
 * Turns the errors of a database that is away into `store_unavailable`, wherever they come up: no caller can mistake
 * an outage for a refusal. All other errors stay what they are.
 */
export function translatingErrors(dialect: Dialect, isUnavailable: (error: unknown) => boolean): Dialect {
  const translate = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      throw new AuthError('store_unavailable', 'the database is not available', { retryAfter }, { cause: error });
    }
  };
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => new TranslatingDriver(dialect.createDriver(), translate),
  };
}

type Translate = <Result>(work: () => Promise<Result>) => Promise<Result>;

class TranslatingDriver implements Driver {
  readonly #driver: Driver;
  readonly #translate: Translate;

  constructor(driver: Driver, translate: Translate) {
    this.#driver = driver;
    this.#translate = translate;
  }

  init(): Promise<void> {
    return this.#translate(() => this.#driver.init());
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await this.#translate(() => this.#driver.acquireConnection());
    return new TranslatingConnection(connection, this.#translate);
  }

  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    return this.#translate(() => this.#driver.beginTransaction(inner(connection), settings));
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#translate(() => this.#driver.commitTransaction(inner(connection)));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await this.#translate(() => this.#driver.rollbackTransaction(inner(connection)));
    } catch (error) {
      // A connection that is gone has rolled back; what broke it matters more.
      if (!isAuthError(error)) throw error;
    }
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    return this.#driver.releaseConnection(inner(connection));
  }

  destroy(): Promise<void> {
    return this.#driver.destroy();
  }
}

class TranslatingConnection implements DatabaseConnection {
  readonly connection: DatabaseConnection;
  readonly #translate: Translate;

  constructor(connection: DatabaseConnection, translate: Translate) {
    this.connection = connection;
    this.#translate = translate;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    refuseStrangeParameters(query.parameters);
    return this.#translate(() => this.connection.executeQuery<Row>(query));
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.connection.streamQuery<Row>(query, chunkSize);
  }
}

/**
 * What no database keeps alike is refused before it gets there: NUL in text, which PostgreSQL cannot store, and objects,
 * which drivers read in ways of their own.
 */
function refuseStrangeParameters(parameters: readonly unknown[]): void {
  for (const parameter of parameters) {
    if (typeof parameter === 'string' && parameter.includes('\0')) {
      throw nulRefused();
    }
    if (parameter instanceof ListColumn) refuseStrangeParameters(parameter);
    else if (typeof parameter === 'object' && parameter !== null && !(parameter instanceof Uint8Array)) {
      throw new TypeError('a value for the database must be text, a number or bytes');
    }
  }
}

/** Says that text holds a NUL. */
export function nulRefused(): AuthError {
  return new AuthError('value_invalid', 'text with a NUL refused', { field: 'text', reason: 'must not hold a NUL' });
}

/** Drivers look their own connections up by identity. */
function inner(connection: DatabaseConnection): DatabaseConnection {
  return connection instanceof TranslatingConnection ? connection.connection : connection;
}
