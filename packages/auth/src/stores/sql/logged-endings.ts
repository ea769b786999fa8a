import { sql, type Kysely } from 'kysely';
import { changeKinds, expiryOf, sessionDead } from '../../changes/change.ts';
import { notificationChannel } from './change-queries.ts';
import { type List, rowsOf } from './list.ts';
import { prepare, type PreparedQuery } from './prepared.ts';
import type { Database, SqlDialect } from './schema.ts';
import { notEnded } from './session-queries.ts';

/** Ends sessions and says so in the log, by a list of ids, moments, reasons, and 1 where somebody waits for the guards. */
export type LoggedEndings = PreparedQuery<{ readonly list: List }, { readonly id: string }>;

const columns = { id: 'text', now: 'bigint', reason: 'text', acknowledge: 'bigint' } as const;

/** How much longer than the tokens it concerns an entry is kept, in seconds. */
const margin = expiryOf(sessionDead('', new Date(0)), 0);

/**
 * Does what ending sessions and appending their deaths in one transaction does, as one statement of PostgreSQL: the head
 * row of the log, for which all servers wait, is never locked while a server has something else to do. Leaves out sessions
 * that somebody else has locked.
 */
export function loggedEndings(db: Kysely<Database>, dialect: SqlDialect): LoggedEndings {
  return prepare(['list'], ({ list }) => {
    // The head row waits for what has ended, because it counts that: it is locked last.
    const statement = sql<{ id: string }>`
      with given as materialized (
        select given.* from sessions, ${rowsOf(list, columns, dialect)}
        where sessions.id = given.id
        for update of sessions skip locked
      ), ended as (
        update sessions set ended_at = given.now, end_reason = given.reason from given
        where sessions.id = given.id and ${notEnded}
        returning sessions.id, greatest(given.now, sessions.minted_at) as issued_until, given.acknowledge
      ), head as (
        update feed_head set sequence = sequence + (select count(*) from ended)
        where id = 1 and exists (select from ended)
        returning sequence, token_lifetime, pg_notify(${sql.lit(notificationChannel)}, sequence::text)
      )
      insert into feed_log (sequence, kind, key, expires_at, critical, acknowledge)
      select
        head.sequence + 1 - row_number() over (order by ended.id desc),
        ${sql.lit(changeKinds.sessionDead)},
        ended.id,
        (ended.issued_until + 999) / 1000 + head.token_lifetime + ${sql.lit(margin)},
        1,
        ended.acknowledge
      from head, ended
      returning key as id`;
    return { compile: () => statement.compile(db) };
  });
}
