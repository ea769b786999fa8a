import { sql, type Kysely, type Selectable, type UpdateQueryBuilder, type UpdateResult } from 'kysely';
import { expiryOf, isAboutRoles, type NewChange } from '../../changes/change.ts';
import { nulRefused } from '../unavailable.ts';
import { type List, rowsOf, toList } from './list.ts';
import { prepare, prepareSteps, type PreparedQuery } from './prepared.ts';
import type { Database, SqlDialect } from './schema.ts';

/** Where PostgreSQL tells its listeners how long the log is now. */
export const notificationChannel = 'sallyport_feed';

/** What the head row says. */
export interface PositionRow extends Pick<
  Selectable<Database['feed_head']>,
  'incarnation' | 'token_lifetime' | 'credentials'
> {
  readonly head: number;
}

/** An entry of the log, or none, beside its head. */
export type LogRow = PositionRow & {
  readonly [Column in keyof Database['feed_log']]: Selectable<Database['feed_log']>[Column] | null;
};

/** An entry of the log by what it is about. */
export type FoundRow = Selectable<Database['feed_log']>;

/** Changes that get the next places in the log. */
interface Addition {
  /** One for each of {@link given}. */
  readonly list: List;
  readonly count: number;
  /** The place of the last of them that is about roles. */
  readonly lastAboutRoles: number | null;
}

/** What is given of each change. Places count from 1; the life of tokens is still to be added to the expiry. */
const given = {
  place: 'bigint',
  kind: 'bigint',
  key: 'text',
  expires_at: 'bigint',
  critical: 'bigint',
  acknowledge: 'bigint',
  data: 'text',
} as const;

/** What is asked of the log all the time, built once for one kind of database. */
export interface ChangeQueries {
  /** The head, and the first entries after a place: as they were at the same moment. */
  readonly readSince: PreparedQuery<{ readonly cursor: number; readonly limit: number }, LogRow>;
  /** The last entry of each kind and key that are given as a list. */
  readonly findMany: PreparedQuery<{ readonly list: List }, FoundRow>;
  readonly append: PreparedQuery<Addition, unknown>;
}

/**
 * Gives changes their places in the log. The last thing a transaction does: the head row is a lock for everybody who
 * appends, and it must not be held while anything else happens.
 */
export async function appendChanges(
  db: Kysely<Database>,
  { append }: ChangeQueries,
  changes: readonly NewChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const list = toList(changes.map(toValues));
  if (list === undefined) throw nulRefused();
  const last = changes.findLastIndex(isAboutRoles);
  const lastAboutRoles = last === -1 ? null : last + 1;
  await append(db, { list, count: changes.length, lastAboutRoles });
}

function toValues(change: NewChange, index: number): (string | number | null)[] {
  const { kind, key, critical, acknowledge = false, data } = change;
  const text = data === undefined ? null : JSON.stringify(data);
  return [index + 1, kind, key, expiryOf(change, 0) ?? null, Number(critical), Number(acknowledge), text];
}

export function changeQueries(db: Kysely<Database>, dialect: SqlDialect): ChangeQueries {
  return {
    readSince: prepare(['cursor', 'limit'], ({ cursor, limit }) =>
      db
        .selectFrom('feed_head')
        .leftJoin('feed_log', (join) =>
          join.on('feed_log.sequence', '>', cursor).onRef('feed_log.sequence', '<=', 'feed_head.sequence'),
        )
        .where('feed_head.id', '=', 1)
        .select(['feed_head.incarnation', 'feed_head.token_lifetime', 'feed_head.credentials'])
        .select('feed_head.sequence as head')
        .selectAll('feed_log')
        .orderBy('feed_log.sequence')
        .limit(limit),
    ),
    findMany: dialect.name === 'postgres' ? findingEach(db, dialect) : findingAll(db, dialect),
    append: dialect.name === 'postgres' ? appendAtOnce(db, dialect) : appendInSteps(db, dialect),
  };
}

const subject = { kind: 'bigint', key: 'text' } as const;

/**
 * One after the other, by the index. PostgreSQL would join the whole log otherwise, as long as it takes it for small; the sum
 * keeps it from going through the log backwards.
 */
function findingEach(db: Kysely<Database>, dialect: SqlDialect): ChangeQueries['findMany'] {
  return prepare(['list'], ({ list }) =>
    db
      .selectFrom(rowsOf(list, subject, dialect))
      .innerJoinLateral(
        (from) =>
          from
            .selectFrom('feed_log')
            .selectAll()
            .whereRef('kind', '=', sql.ref('given.kind'))
            .whereRef('key', '=', sql.ref('given.key'))
            .orderBy(sql`sequence + 0`, 'desc')
            .limit(1)
            .as('latest'),
        (join) => join.onTrue(),
      )
      .selectAll('latest'),
  );
}

/** SQLite, which has no such joins, looks each of them up by the index anyway. */
function findingAll(db: Kysely<Database>, dialect: SqlDialect): ChangeQueries['findMany'] {
  return prepare(['list'], ({ list }) =>
    db
      .selectFrom([rowsOf(list, subject, dialect), 'feed_log'])
      .selectAll('feed_log')
      .where((row) =>
        row(
          'feed_log.sequence',
          '=',
          row
            .selectFrom('feed_log as latest')
            .select((latest) => latest.fn.max('latest.sequence').as('sequence'))
            .whereRef('latest.kind', '=', sql.ref('given.kind'))
            .whereRef('latest.key', '=', sql.ref('given.key')),
        ),
      ),
  );
}

const additionNames = ['list', 'count', 'lastAboutRoles'] as const;

/** By one statement, after which only the commit is left. */
function appendAtOnce(db: Kysely<Database>, dialect: SqlDialect): PreparedQuery<Addition, unknown> {
  // It is delivered when, and if, the transaction commits.
  const notify = sql<null>`pg_notify(${sql.lit(notificationChannel)}, sequence::text)`.as('notified');
  return prepare(additionNames, (addition: Addition) =>
    db
      .with('head', () =>
        advanced(db, addition)
          .returning((row) => row('sequence', '-', sql.val(addition.count)).as('before'))
          .returning(['token_lifetime', notify]),
      )
      .insertInto('feed_log')
      .columns(logColumns)
      .expression((from) => from.selectFrom(['head', rowsOf(addition.list, given, dialect)]).select(logValues)),
  );
}

/** SQLite has no statement that writes to two tables. It has one writer, who does not mind the order. */
function appendInSteps(db: Kysely<Database>, dialect: SqlDialect): PreparedQuery<Addition, unknown> {
  const insert = ({ list }: Addition) =>
    db
      .insertInto('feed_log')
      .columns(logColumns)
      .expression((from) =>
        from
          .selectFrom([
            from
              .selectFrom('feed_head')
              .select(['sequence as before', 'token_lifetime'])
              .where('id', '=', 1)
              .as('head'),
            rowsOf(list, given, dialect),
          ])
          .select(logValues),
      );
  return prepareSteps(additionNames, insert, (addition) => advanced(db, addition));
}

function advanced(
  db: Kysely<Database>,
  { count, lastAboutRoles }: Addition,
): UpdateQueryBuilder<Database, 'feed_head', 'feed_head', UpdateResult> {
  return db
    .updateTable('feed_head')
    .set((row) => ({
      sequence: row('sequence', '+', sql.val(count)),
      rights_sequence: sql<number>`coalesce(sequence + ${lastAboutRoles}, rights_sequence)`,
    }))
    .where('id', '=', 1);
}

const logColumns = ['sequence', 'kind', 'key', 'expires_at', 'critical', 'acknowledge', 'data'] as const;

/** What stands in those columns, by the head as it was before and by what is given. */
const logValues = [
  sql<number>`head.before + given.place`.as('sequence'),
  sql<number>`given.kind`.as('kind'),
  sql<string>`given.key`.as('key'),
  sql<number | null>`given.expires_at + head.token_lifetime`.as('expires_at'),
  sql<number>`given.critical`.as('critical'),
  sql<number>`given.acknowledge`.as('acknowledge'),
  sql<string | null>`given.data`.as('data'),
] as const;
