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
const timeouts = {
  statement_timeout: 10_000,
  lock_timeout: 5_000,
  // A transaction whose process stands still must not hold the head row of the log.
  idle_in_transaction_session_timeout: 10_000,
  // The server may stand still too.
  query_timeout: 12_000,
  connectionTimeoutMillis: 5_000,
} as const;

/**
 * Classes and codes of SQLSTATE that mean "not now": connection lost or refused, resources short, shutting down, lock not
 * granted, and everything that shows another transaction was faster (23503, 23505, 40001, 40P01): asked again, the call
 * sees what that one did.
 */
const unavailable = /^(08|28|3D|53|57P|55P03|57014|25006|25P03|23503|23505|40001|40P01)/;

/** The part of it that shows two transactions in each other's way: one of them has been undone and may begin anew. */
const conflict = /^(40001|40P01)/;

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
const brokenConnection =
  /timeout exceeded when trying to connect|Connection terminated|not queryable|Query read timeout/;

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
  // The same for one that breaks while a transaction holds it: its next statement reports that.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return sqlStore({
    kysely: translatingErrors(new PostgresDialect({ pool }), isUnavailable),
    dialect: { name: 'postgres', bytes: 'bytea' },
    location: withoutCredentials(connectionString),
    isConflict: (error) => conflict.test(codeOf(error)),
  });
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return unavailable.test(code) || unreachable.has(code) || brokenConnection.test(error.message);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function withoutCredentials(connectionString: string): string {
  if (!URL.canParse(connectionString)) return 'PostgreSQL';
  const { host, pathname } = new URL(connectionString);
  return `postgres://${host}${pathname}`;
}
