import { sql, type AliasedRawBuilder, type Compilable, type Kysely, type RawBuilder } from 'kysely';
import { changeKinds, expiryOf, sessionDead } from '../../changes/change.ts';
import { notificationChannel } from './change-queries.ts';
import { type List, rowsOf } from './list.ts';
import { prepare, prepareSteps, type PreparedQuery } from './prepared.ts';
import type { Database, SqlDialect } from './schema.ts';
import { notEnded } from './session-queries.ts';

/**
 * Ends sessions and says so in the log, by a list of ids, moments, reasons, and 1 where somebody waits for the guards. Tells
 * which have ended by it.
 */
export type LoggedEndings = PreparedQuery<Endings, EndedId>;

interface Endings {
  readonly list: List;
}

interface EndedId {
  readonly id: string;
}

const columns = { id: 'text', now: 'bigint', reason: 'text', acknowledge: 'bigint' } as const;

/** How much longer than the tokens it concerns an entry is kept, in seconds. */
const margin = expiryOf(sessionDead('', new Date(0)), 0);

/**
 * Does what ending sessions and appending their deaths in one transaction does, without a word in between: the log, for
 * which all servers wait, is never held while a server has something else to do.
 */
export function loggedEndings(db: Kysely<Database>, dialect: SqlDialect): LoggedEndings {
  return dialect.name === 'postgres' ? endingAtOnce(db, dialect) : endingInSteps(db, dialect);
}

/** By one statement. Leaves out sessions that somebody else has locked. */
function endingAtOnce(db: Kysely<Database>, dialect: SqlDialect): LoggedEndings {
  return prepare(['list'], ({ list }) => {
    // The head row waits for what has ended, because it counts that: it is locked last.
    const statement = sql<EndedId>`
      with given as materialized (
        select given.* from sessions, ${rowsOf(list, columns, dialect)}
        where sessions.id = given.id
        for update of sessions skip locked
      ), ended as (
        update sessions set ended_at = given.now, end_reason = given.reason from given
        where ${isEnding}
        returning sessions.id, greatest(given.now, sessions.minted_at) as issued_until, given.acknowledge
      ), head as (
        update feed_head set sequence = sequence + (select count(*) from ended)
        where id = 1 and exists (select from ended)
        returning sequence, token_lifetime, pg_notify(${sql.lit(notificationChannel)}, sequence::text)
      )
      ${deathsAt(sql`head.sequence + 1 - row_number() over (order by ended.id desc)`)}`;
    return { compile: () => statement.compile(db) };
  });
}

/** SQLite has no statement that writes to two tables. The sessions end last: until then it can be seen which ones will. */
function endingInSteps(db: Kysely<Database>, dialect: SqlDialect): LoggedEndings {
  const given = ({ list }: Endings): AliasedRawBuilder<object, 'given'> => rowsOf(list, columns, dialect);
  const log = (endings: Endings): RawBuilder<EndedId> => sql`
    with head as (
      select sequence, token_lifetime from feed_head where id = 1
    ), ended as (
      select sessions.id, max(given.now, sessions.minted_at) as issued_until, given.acknowledge
      from sessions, ${given(endings)}
      where ${isEnding}
    )
    ${deathsAt(sql`head.sequence + row_number() over (order by ended.id)`)}`;
  const advance = (endings: Endings): RawBuilder<unknown> => sql`
    update feed_head set sequence = sequence + (select count(*) from sessions, ${given(endings)} where ${isEnding})
    where id = 1`;
  const end = (endings: Endings): RawBuilder<unknown> => sql`
    update sessions set ended_at = given.now, end_reason = given.reason from ${given(endings)}
    where ${isEnding}`;
  const compilable =
    <Row>(build: (endings: Endings) => RawBuilder<Row>) =>
    (endings: Endings): Compilable<Row> => ({ compile: () => build(endings).compile(db) });
  return prepareSteps(['list'], compilable(log), compilable(advance), compilable(end));
}

/** Of the sessions and what is given. */
const isEnding = sql<boolean>`sessions.id = given.id and ${notEnded}`;

/** Appends the deaths of those who have ended, or will, at places of the log. */
function deathsAt(place: RawBuilder<unknown>): RawBuilder<EndedId> {
  return sql<EndedId>`insert into feed_log (sequence, kind, key, expires_at, critical, acknowledge)
      select
        ${place},
        ${sql.lit(changeKinds.sessionDead)},
        ended.id,
        (ended.issued_until + 999) / 1000 + head.token_lifetime + ${sql.lit(margin)},
        1,
        ended.acknowledge
      from head, ended
      returning key as id`;
}
