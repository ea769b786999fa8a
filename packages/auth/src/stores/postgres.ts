import { PostgresDialect } from 'kysely';
import { openPool } from './postgres/connections.ts';
import { keepingStatements } from './postgres/kept-statements.ts';
import { PostgresListener } from './postgres/listener.ts';
import { sqlStore } from './sql/sql-store.ts';
import type { Store } from './store.ts';
import { translatingErrors } from './unavailable.ts';

/**
 * Classes and codes of SQLSTATE that mean "not now": connection lost or refused, resources short, shutting down, lock not
 * granted, its disk in trouble, and everything that shows another transaction was faster (23503, 23505, 40001, 40P01): asked again, the call
 * sees what that one did.
 */
const unavailable = /^(08|28|3D|53|57P|58|55P03|57014|25006|25P03|23503|23505|40001|40P01)/;

/** The part of it that shows two transactions in each other's way: one of them has been undone and may begin anew. */
const conflict = /^(40001|40P01)/;

/** What it says when somebody else has held a lock for too long. */
const lockNotGranted = '55P03';

/** What the network says when nobody answers. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENOENT',
]);

/** What pg says without any code. */
const brokenConnection = /timeout exceeded when trying to connect|Connection terminated|not queryable/;

/**
 * Keeps everything in a PostgreSQL database, shared by any number of server processes.
 *
 * Connects at the first use, not here. A statement may take 10 s, a lock 5 s. While the database is away every call
 * fails with `store_unavailable`, most of them at once: one caller at a time looks whether it is back, once a second. It
 * recovers by itself.
 *
 * @example
 * import { postgres } from '@sallyport/auth/postgres';
 *
 * const store = postgres('postgres://sallyport@localhost/sallyport');
 */
export function postgres(connectionString: string): Store {
  return sqlStore({
    kysely: translatingErrors(
      new PostgresDialect({ pool: keepingStatements(openPool(connectionString)) }),
      isUnavailable,
    ),
    dialect: { name: 'postgres', bytes: 'bytea' },
    wakeups: new PostgresListener(connectionString),
    location: withoutCredentials(connectionString),
    isConflict: (error) => conflict.test(codeOf(error)),
    isLocked: (error) => codeOf(error) === lockNotGranted,
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
