import {
  sql,
  type AliasedSelectQueryBuilder,
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type Selectable,
  type UpdateQueryBuilder,
  type UpdateResult,
} from 'kysely';
import { prepare, type PreparedQuery } from './prepared.ts';
import type { Database } from './schema.ts';

/** A session with what stands beside it. */
export interface StandingRow extends Selectable<Database['sessions']> {
  readonly head: number | null;
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

/** What every refresh asks, built once for one kind of database. */
export interface SessionQueries {
  readonly standing: PreparedQuery<Pick<Rotation, 'id'>, StandingRow>;
  readonly rotate: (db: Kysely<Database>, rotation: Rotation) => Promise<{ readonly rows: readonly StandingRow[] }>;
}

export function sessionQueries(db: Kysely<Database>): SessionQueries {
  return {
    standing: prepare(['id'], ({ id }) =>
      db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .selectAll('sessions')
        .select(['users.epoch as current_epoch', 'users.disabled_at'])
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
        .returningAll()
        .returning(aliveUser)
        .returning(grants),
    ),
  };
}

/** How PostgreSQL reads a list of rotations that comes as JSON: one parameter, however many there are. */
const listed = sql`given (id text, generation bigint, now bigint, "idleExpiresAt" bigint, "userAgent" text, address text)`;

/** Builds the statement of PostgreSQL that rotates many sessions, each at most once. It leaves out those that are locked. */
export function rotationOfMany(db: Kysely<Database>): PreparedQuery<{ readonly rotations: string }, StandingRow> {
  return prepare(['rotations'], ({ rotations }) => {
    const list = sql<object>`json_to_recordset(${rotations}::json)`;
    const unlocked = db
      .selectFrom(['sessions', list.as<'given'>(listed)])
      .select('sessions.id')
      .whereRef('sessions.id', '=', sql.ref('given.id'))
      .forUpdate('sessions')
      .skipLocked();
    return rotated(db, {
      id: sql.ref('given.id'),
      generation: sql.ref('given.generation'),
      now: sql.ref('given.now'),
      idleExpiresAt: sql.ref('given.idleExpiresAt'),
      userAgent: sql.ref('given.userAgent'),
      address: sql.ref('given.address'),
    })
      .where('sessions.id', 'in', unlocked)
      .from(list.as<'given'>(listed))
      .returningAll('sessions')
      .returning(aliveUser)
      .returning(grants);
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

/** What a rotation has made sure of. */
const aliveUser = ['sessions.user_epoch as current_epoch', sql<null>`null`.as('disabled_at')] as const;

/** How far the log has come, and what the user of a session may do: of the same moment as the session itself. */
function grants(
  row: ExpressionBuilder<Database, 'sessions'>,
): [
  AliasedSelectQueryBuilder<{ sequence: number }, 'head'>,
  AliasedSelectQueryBuilder<{ names: string }, 'roles'>,
  AliasedSelectQueryBuilder<{ scopes: string }, 'scopes'>,
] {
  const roles = row.selectFrom('user_roles').whereRef('user_roles.user_id', '=', 'sessions.user_id');
  return [
    row.selectFrom('feed_head').select('sequence').where('feed_head.id', '=', 1).as('head'),
    roles.select(sql<string>`string_agg(user_roles.role, ' ')`.as('names')).as('roles'),
    roles
      .innerJoin('roles', 'roles.name', 'user_roles.role')
      .select(sql<string>`string_agg(roles.scopes, ' ')`.as('scopes'))
      .as('scopes'),
  ];
}
