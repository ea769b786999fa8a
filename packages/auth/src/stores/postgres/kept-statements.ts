import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';

/** How many statements one connection keeps at most. */
const mostKept = 100;

/** How many it remembers at most that came once so far: some are written anew for every list. */
const mostSeen = 500;

/** What PostgreSQL says of a kept statement whose columns have changed since. */
const planOutdated = '0A000';

/**
 * Lets PostgreSQL keep what it is asked over and over, so that it is parsed and planned once for each connection: most of
 * what a short statement costs.
 *
 * Only on connections that lead to PostgreSQL itself. A pooler that gives every transaction another server's session
 * (PgBouncer and its like) makes up the process id that it tells its clients; whoever has another one than it was told is
 * behind such a pooler, where a kept statement could be missing, and asks anew each time.
 */
export function keepingStatements(pool: pg.Pool): PostgresPool {
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    connect: async () => {
      const client = await pool.connect();
      const known = clients.get(client);
      if (known !== undefined) return known;
      const fresh = await openClient(client);
      clients.set(client, fresh);
      return fresh;
    },
    end: () => pool.end(),
  };
}

async function openClient(client: pg.PoolClient): Promise<PostgresPoolClient> {
  try {
    return (await isDirect(client)) ? new KeepingClient(client) : client;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function isDirect(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid === Reflect.get(client, 'processID');
}

/** A connection that keeps, by a name, every statement with parameters that comes a second time. */
class KeepingClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  readonly #seen = new Set<string>();
  readonly #names = new Map<string, string>();
  #named = 0;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  query<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query<Row>(asked: string | PostgresCursor<Row>, parameters: readonly unknown[] = []): unknown {
    if (typeof asked !== 'string') throw new TypeError('nothing here reads by cursors');
    return this.#ask(asked, parameters);
  }

  release(): void {
    this.#client.release();
  }

  async #ask(text: string, parameters: readonly unknown[]): Promise<unknown> {
    const name = parameters.length === 0 ? undefined : this.#nameOf(text);
    const values = [...parameters];
    try {
      return await this.#client.query({ name, text, values });
    } catch (error) {
      if (!isOutdated(error)) throw error;
      // Another version of this program has changed the tables. What is kept is parsed anew, under other names.
      this.#names.clear();
      if (this.#client.getTransactionStatus() !== 'I') throw error;
      return await this.#client.query({ text, values });
    }
  }

  #nameOf(text: string): string | undefined {
    const name = this.#names.get(text);
    if (name !== undefined || this.#names.size >= mostKept) return name;
    if (!this.#seen.delete(text)) {
      if (this.#seen.size >= mostSeen) this.#seen.clear();
      this.#seen.add(text);
      return undefined;
    }
    this.#named += 1;
    const fresh = `s${this.#named}`;
    this.#names.set(text, fresh);
    return fresh;
  }
}

function isOutdated(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === planOutdated;
}
