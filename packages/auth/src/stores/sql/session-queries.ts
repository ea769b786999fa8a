import {
  sql,
  type AliasedExpression,
  type AliasedSelectQueryBuilder,
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type Selectable,
  type UpdateQueryBuilder,
  type UpdateResult,
} from 'kysely';
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

type Given = { readonly [Name in keyof Rotation]: Expression<Rotation[Name]> };

/** A session that has rotated. */
export interface RotatedRow extends PositionRow {
  readonly id: string;
}

/** What every refresh asks, built once for one kind of database. */
export interface SessionQueries {
  readonly standing: PreparedQuery<Pick<Rotation, 'id'>, StandingRow>;
  readonly rotate: PreparedQuery<Rotation, RotatedRow>;
  /** Rotates many sessions, each at most once, from a list as {@link toList} writes it. Leaves out those that are locked. */
  readonly rotateMany: PreparedQuery<{ readonly list: string }, RotatedRow>;
}

export function sessionQueries(db: Kysely<Database>, dialect: SqlDialect): SessionQueries {
  return {
    rotateMany: rotationOfMany(db, dialect),
    standing: prepare(['id'], ({ id }) =>
      db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .selectAll('sessions')
        .select(['users.epoch as current_epoch', 'users.disabled_at'])
        .select(position)
        .select(grants)
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

/** Writes rotations as one parameter, however many there are. */
export function toList(rotations: readonly Rotation[]): string {
  return JSON.stringify(
    rotations.map(({ id, generation, now, idleExpiresAt, userAgent, address }) => [
      id,
      generation,
      now,
      idleExpiresAt,
      userAgent,
      address,
    ]),
  );
}

function rotationOfMany(db: Kysely<Database>, { name }: SqlDialect): SessionQueries['rotateMany'] {
  return prepare(['list'], ({ list }) => {
    const values = name === 'postgres' ? sql`json_array_elements(cast(${list} as json))` : sql`json_each(${list})`;
    const given = sql<object>`(select value->>0 as id, cast(value->>1 as bigint) as generation,
      cast(value->>2 as bigint) as now, cast(value->>3 as bigint) as idle_expires_at,
      value->>4 as user_agent, value->>5 as address from ${values})`.as<'given'>(sql`given`);
    const rotation = rotated(db, {
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
    if (name === 'sqlite') return rotation;
    const unlocked = db
      .selectFrom(['sessions', given])
      .select('sessions.id')
      .whereRef('sessions.id', '=', sql.ref('given.id'))
      .forUpdate('sessions')
      .skipLocked();
    return rotation.where('sessions.id', 'in', unlocked);
  });
}

function rotated(
  db: Kysely<Database>,
  given: Given,
): UpdateQueryBuilder<Database, 'sessions', 'sessions', UpdateResult> {
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
    .where('sessions.ended_at', 'is', null)
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
