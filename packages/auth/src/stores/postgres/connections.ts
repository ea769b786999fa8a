import { Socket } from 'node:net';
import { callbackify } from 'node:util';
import pg from 'pg';
import { steadyTime } from '../../ports.ts';
import { Outage } from './outage.ts';

/** The type number of 8-byte integers, which pg would hand over as text. */
const int8 = 20;

/** How many connections one process opens at most. */
const connections = 10;

/**
 * How long a connection is used, in seconds. What it has kept is forgotten with it, plans that were made when a table was
 * empty included.
 */
const longestLife = 300;

/** How long a statement, and the wait for a lock or a connection, may take, in milliseconds. */
const timeouts = {
  statement_timeout: 10_000,
  lock_timeout: 5_000,
  // A transaction whose process stands still must not hold the head row of the log.
  idle_in_transaction_session_timeout: 10_000,
  connectionTimeoutMillis: 5_000,
} as const;

/**
 * How long a connection may be silent while somebody waits for it, in milliseconds: longer than the server lets a
 * statement run, and than the pool keeps a connection that nobody uses.
 */
const longestSilence = 12_000;

/** How long connections may be silent, in milliseconds, and how long they live, in seconds. */
interface PoolLimits {
  readonly silence?: number;
  readonly life?: number;
}

/** Opens a pool of connections, which are made when they are needed. */
export function openPool(
  connectionString: string,
  { silence = longestSilence, life = longestLife }: PoolLimits = {},
): pg.Pool {
  const outage = new Outage(steadyTime);
  const pool = new pg.Pool({
    connectionString,
    max: connections,
    maxLifetimeSeconds: life,
    ...timeouts,
    types: { getTypeParser: (type: number) => (type === int8 ? Number : pg.types.getTypeParser(type)) },
    Client: clientDuring(outage),
  });
  // An idle connection that breaks is replaced when it is needed; unheard, its error would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => breakWhenSilent(client.connection.stream, silence, outage));
  return pool;
}

type Connected = (error: Error | null, client?: pg.Client) => void;

/** Clients that connect when the outage lets them. */
function clientDuring(outage: Outage): new (config?: pg.ClientConfig) => pg.Client {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config);
      // The same for one that breaks before the pool has it, or while a transaction does: its next statement reports that.
      this.on('error', () => undefined);
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: Connected): void;
    override connect(callback?: Connected): Promise<pg.Client> | void {
      const connect = (): Promise<pg.Client> => outage.attempt(() => super.connect());
      return callback === undefined ? connect() : callbackify(connect)(callback);
    }
  };
}

/**
 * A server or a network that stands still says nothing at all, not even that a statement took too long. What is asked of
 * such a connection fails; it is not used again, because nobody can tell what it is still doing.
 */
function breakWhenSilent(stream: NodeJS.WritableStream, silence: number, outage: Outage): void {
  if (!(stream instanceof Socket)) return;
  stream.setTimeout(silence, () => {
    const error = Object.assign(new Error(`the database has said nothing for ${silence} ms`), { code: 'ETIMEDOUT' });
    outage.noticed(error);
    stream.destroy(error);
  });
}
