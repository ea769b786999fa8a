import {
  sql,
  type AliasedExpression,
  type AliasedRawBuilder,
  type AliasedSelectQueryBuilder,
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type QueryCreator,
  type RawBuilder,
  type Selectable,
  type UpdateQueryBuilder,
  type UpdateResult,
} from 'kysely';
import { type List, rowsOf } from './list.ts';
import { prepare, type PreparedQuery } from './prepared.ts';
import type { Database, SqlDialect } from './schema.ts';

/** How far the log has come. */
interface PositionRow {
  readonly head: number;
  /** The last entry of it that is about roles. */
  readonly rights: number;
}

/** A session with what stands beside it. */
export interface StandingRow extends Selectable<Database['sessions']>, PositionRow {
  readonly current_epoch: number;
  readonly disabled_at: number | null;
  /** Names, separated by spaces. */
  readonly roles: string | null;
  /** What all of them grant together, separated by spaces. */
  readonly scopes: string | null;
}

/** A rotation that is asked for. */
export interface Rotation {
  readonly id: string;
  readonly generation: number;
  readonly now: number;
  readonly idleExpiresAt: number;
  readonly userAgent: string | null;
  readonly address: string | null;
}

/** A session that has rotated. */
export interface RotatedRow extends PositionRow {
  readonly id: string;
}

/** An end that is asked for. */
export interface Ending {
  readonly id: string;
  readonly now: number;
  readonly reason: string;
}

/** A session that has ended. */
export interface EndedRow {
  readonly id: string;
  readonly ended_at: number;
  readonly minted_at: number;
}

type Given<Values> = { readonly [Name in keyof Values]: Expression<Values[Name]> };

/** What is asked of sessions all the time, built once for one kind of database. */
export interface SessionQueries {
  readonly standing: PreparedQuery<Pick<Rotation, 'id'>, StandingRow>;
  readonly rotate: PreparedQuery<Rotation, RotatedRow>;
  /** Rotates many sessions, each at most once, given as a list. Leaves out those that are locked. */
  readonly rotateMany: PreparedQuery<{ readonly list: List }, RotatedRow>;
  readonly end: PreparedQuery<Ending, EndedRow>;
}

export function sessionQueries(db: Kysely<Database>, dialect: SqlDialect): SessionQueries {
  return {
    rotateMany: rotationOfMany(db, dialect),
    end: prepare(['id', 'now', 'reason'], ({ id, now, reason }: Ending) =>
      db
        .updateTable('sessions')
        .set({ ended_at: now, end_reason: reason })
        .where('sessions.id', '=', id)
        .where(notEnded)
        .returning(['sessions.id', 'sessions.minted_at'])
        .returning(endedNow),
    ),
    standing: prepare(['id'], ({ id }) =>
      db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .selectAll('sessions')
        .select(['users.epoch as current_epoch', 'users.disabled_at'])
        .select(grants)
        .select(position)
        .where('sessions.id', '=', id),
    ),
    rotate: prepare(['id', 'generation', 'now', 'idleExpiresAt', 'userAgent', 'address'], (rotation: Rotation) =>
      rotated(db, {
        id: sql.val(rotation.id),
        generation: sql.val(rotation.generation),
        now: sql.val(rotation.now),
        idleExpiresAt: sql.val(rotation.idleExpiresAt),
        userAgent: sql.val(rotation.userAgent),
        address: sql.val(rotation.address),
      })
        .returning('sessions.id')
        .returning(position),
    ),
  };
}

function rotationOfMany(db: Kysely<Database>, dialect: SqlDialect): SessionQueries['rotateMany'] {
  const columns = {
    id: 'text',
    generation: 'bigint',
    now: 'bigint',
    idle_expires_at: 'bigint',
    user_agent: 'text',
    address: 'text',
  } as const;
  return prepare(['list'], ({ list }) => {
    const { creator, given } = unlocked(db, rowsOf(list, columns, dialect), dialect);
    return rotated(creator, {
      id: sql.ref('given.id'),
      generation: sql.ref('given.generation'),
      now: sql.ref('given.now'),
      idleExpiresAt: sql.ref('given.idle_expires_at'),
      userAgent: sql.ref('given.user_agent'),
      address: sql.ref('given.address'),
    })
      .from(given)
      .returning('sessions.id')
      .returning(position);
  });
}

/** What a statement is built with that goes by a list, and the list as a table of it. */
interface GivenRows {
  readonly creator: QueryCreator<Database>;
  readonly given: AliasedRawBuilder<object, 'given'>;
}

/**
 * Of a list by session ids, what is about sessions that nobody else has locked; locks them. They are looked for once:
 * PostgreSQL would do a subquery over for every row of the list.
 */
function unlocked(db: Kysely<Database>, rows: GivenRows['given'], { name }: SqlDialect): GivenRows {
  if (name === 'sqlite') return { creator: db, given: rows };
  const creator = db.with(
    (cte) => cte('given').materialized(),
    () =>
      db
        .selectFrom(['sessions', rows])
        .selectAll('given')
        .whereRef('sessions.id', '=', sql.ref('given.id'))
        .forUpdate('sessions')
        .skipLocked(),
  );
  return { creator, given: sql<object>`given`.as('given') };
}

const endedNow = (row: ExpressionBuilder<Database, 'sessions'>): AliasedExpression<number, 'ended_at'> =>
  row.ref('sessions.ended_at').$notNull().as('ended_at');

/**
 * `is null` in other words. PostgreSQL takes nulls for rare until it has gathered statistics, and plans for a table in which
 * hardly any session goes on; of numbers above a bound it expects a third.
 */
export const notEnded: RawBuilder<boolean> = sql<boolean>`cast(sessions.ended_at is null as integer) > 0`;

type SessionUpdate = UpdateQueryBuilder<Database, 'sessions', 'sessions', UpdateResult>;

function rotated(db: QueryCreator<Database>, given: Given<Rotation>): SessionUpdate {
  return db
    .updateTable('sessions')
    .set((row) => ({
      base: row.ref('sessions.generation'),
      generation: row('sessions.generation', '+', 1),
      minted_at: given.now,
      rotated_at: given.now,
      last_used_at: given.now,
      idle_expires_at: given.idleExpiresAt,
      user_agent: row.fn.coalesce(given.userAgent, 'sessions.user_agent'),
      address: row.fn.coalesce(given.address, 'sessions.address'),
    }))
    .where('sessions.id', '=', given.id)
    .where('sessions.generation', '=', given.generation)
    .where(notEnded)
    .where('sessions.expires_at', '>', given.now)
    .where('sessions.idle_expires_at', '>', given.now)
    .where((row) =>
      row.exists(
        row
          .selectFrom('users')
          .select('users.id')
          .whereRef('users.id', '=', 'sessions.user_id')
          .whereRef('users.epoch', '=', 'sessions.user_epoch')
          .where('users.disabled_at', 'is', null),
      ),
    );
}

/** How far the log has come: at the same moment as what stands beside it. */
function position(
  row: ExpressionBuilder<Database, 'sessions'>,
): [AliasedExpression<number, 'head'>, AliasedExpression<number, 'rights'>] {
  const head = row.selectFrom('feed_head').where('feed_head.id', '=', 1);
  return [
    head.select('sequence').$asScalar().$notNull().as('head'),
    head.select('rights_sequence').$asScalar().$notNull().as('rights'),
  ];
}

/** What the user of a session may do. */
function grants(
  row: ExpressionBuilder<Database, 'sessions'>,
): [AliasedSelectQueryBuilder<{ names: string }, 'roles'>, AliasedSelectQueryBuilder<{ scopes: string }, 'scopes'>] {
  const roles = row.selectFrom('user_roles').whereRef('user_roles.user_id', '=', 'sessions.user_id');
  return [
    roles.select(sql<string>`string_agg(user_roles.role, ' ')`.as('names')).as('roles'),
    roles
      .innerJoin('roles', 'roles.name', 'user_roles.role')
      .select(sql<string>`string_agg(roles.scopes, ' ')`.as('scopes'))
      .as('scopes'),
  ];
}
