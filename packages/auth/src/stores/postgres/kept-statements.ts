import { createHash } from 'node:crypto';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';

/** How many statements one connection keeps at most. */
const mostKept = 100;

/** How many it remembers at most that came once so far: some are written anew for every list. */
const mostSeen = 500;

/** What PostgreSQL says of a kept statement when somebody, with another version of this program, has changed the tables. */
const tablesChanged = '0A000';

/** What it says when it knows no statement of that name, or has one already: the connection is not this client's alone. */
const notItsOwn: ReadonlySet<unknown> = new Set(['26000', '42P05']);

/** What it says of transactions that have been undone and may begin anew. */
const beginAnew = '40001';

/**
 * Lets PostgreSQL keep what it is asked over and over, so that it is parsed and planned once for each connection: most of
 * what a short statement costs.
 *
 * Only on connections that lead to PostgreSQL itself. PgBouncer and most other poolers that give every transaction another
 * server connection make up the process id that they tell their clients; whoever is told another one than it has is behind
 * such a pooler, and asks anew each time. Behind one that tells the right one, the first statement that is missing ends it.
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
  // What it was told: pg keeps that, and its types do not know.
  return rows[0]?.pid === Reflect.get(client, 'processID');
}

/** A connection that keeps, by a name, every statement with parameters that comes a second time. */
class KeepingClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  readonly #seen = new Set<string>();
  readonly #names = new Map<string, string>();
  #most = mostKept;
  #changes = 0;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  query<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query<Row>(asked: string | PostgresCursor<Row>, parameters: readonly unknown[] = []): unknown {
    if (typeof asked !== 'string') throw new TypeError('nothing here reads by cursors');
    const name = parameters.length === 0 ? undefined : this.#nameOf(asked);
    const values = [...parameters];
    return name === undefined ? this.#client.query(asked, values) : this.#askKept(name, asked, values);
  }

  release(): void {
    this.#client.release();
  }

  /** Whatever fails for being kept is not done: it was not begun, or it has been undone with the statement that it was. */
  async #askKept(name: string, text: string, values: unknown[]): Promise<unknown> {
    try {
      return await this.#client.query({ name, text, values });
    } catch (error) {
      const why = codeOf(error);
      if (why !== tablesChanged && !notItsOwn.has(why)) throw error;
      this.#names.clear();
      this.#changes += 1;
      if (why !== tablesChanged) this.#most = 0;
      if (this.#client.getTransactionStatus() === 'I') return await this.#client.query(text, values);
      throw Object.assign(new Error('a kept statement works no more', { cause: error }), { code: beginAnew });
    }
  }

  /** By the text, so that even two clients of one server connection cannot mean different statements by one name. */
  #nameOf(text: string): string | undefined {
    const name = this.#names.get(text);
    if (name !== undefined || this.#names.size >= this.#most) return name;
    if (!this.#seen.delete(text)) {
      if (this.#seen.size >= mostSeen) this.#seen.clear();
      this.#seen.add(text);
      return undefined;
    }
    const digest = createHash('sha256').update(text).digest('base64url');
    const fresh = `${digest}.${this.#changes}`;
    this.#names.set(text, fresh);
    return fresh;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
