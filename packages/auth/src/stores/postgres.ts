import { PostgresDialect } from 'kysely';
import pg from 'pg';
import { sqlStore } from './sql/sql-store.ts';
import type { Store } from './store.ts';
import { translatingErrors } from './unavailable.ts';

/** The type number of 8-byte integers, which pg would hand over as text. */
const int8 = 20;

/** How many connections one process opens at most. */
const connections = 10;

/** How long a statement, and the wait for a lock or a connection, may take, in milliseconds. */
const timeouts = { statement_timeout: 10_000, lock_timeout: 5_000, connectionTimeoutMillis: 5_000 } as const;

/** Classes and codes of SQLSTATE that mean "not now": connection lost, resources short, shutting down, lock not granted, serialisation. */
const unavailable = /^(08|53|57P|55P03|57014|40001|40P01|25006)/;

/** What the network says when nobody answers. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENOENT',
]);

/** What pg says without any code. */
const brokenConnection = /timeout exceeded when trying to connect|Connection terminated|not queryable/;

/**
 * Keeps everything in a PostgreSQL database, shared by any number of server processes.
 *
 * Connects at the first use, not here. A statement may take 10 s, a lock 5 s. While the database is away every call
 * fails with `store_unavailable`; it recovers by itself.
 *
 * @example
 * import { postgres } from '@sallyport/auth/postgres';
 *
 * const store = postgres('postgres://sallyport@localhost/sallyport');
 */
export function postgres(connectionString: string): Store {
  const pool = new pg.Pool({
    connectionString,
    max: connections,
    ...timeouts,
    types: { getTypeParser: (type: number) => (type === int8 ? Number : pg.types.getTypeParser(type)) },
  });
  // An idle connection that breaks is replaced when it is needed; unheard, its error would end the process.
  pool.on('error', () => undefined);
  return sqlStore({
    kysely: translatingErrors(new PostgresDialect({ pool }), isUnavailable),
    dialect: { name: 'postgres', bytes: 'bytea' },
    location: withoutCredentials(connectionString),
  });
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return unavailable.test(code) || unreachable.has(code) || brokenConnection.test(error.message);
}

function withoutCredentials(connectionString: string): string {
  if (!URL.canParse(connectionString)) return 'PostgreSQL';
  const { host, pathname } = new URL(connectionString);
  return `postgres://${host}${pathname}`;
}
