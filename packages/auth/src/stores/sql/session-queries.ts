import { sql, type AliasedSelectQueryBuilder, type ExpressionBuilder, type Kysely, type Selectable } from 'kysely';
import { prepare, type PreparedQuery } from './prepared.ts';
import type { Database } from './schema.ts';

/** What every refresh asks. */
export interface SessionQueries {
  readonly standing: PreparedQuery<{ readonly id: string }, StandingRow>;
  readonly rotate: PreparedQuery<Rotation, StandingRow>;
}

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

interface Rotation extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly generation: number;
  readonly now: number;
  readonly idleExpiresAt: number;
  readonly userAgent: string | null;
  readonly address: string | null;
}

/** Builds the queries that every refresh asks, for one kind of database. */
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
      db
        .updateTable('sessions')
        .set((row) => ({
          base: row.ref('generation'),
          generation: row('generation', '+', 1),
          minted_at: rotation.now,
          rotated_at: rotation.now,
          last_used_at: rotation.now,
          idle_expires_at: rotation.idleExpiresAt,
          user_agent: row.fn.coalesce(row.val(rotation.userAgent), 'user_agent'),
          address: row.fn.coalesce(row.val(rotation.address), 'address'),
        }))
        .where('id', '=', rotation.id)
        .where('generation', '=', rotation.generation)
        .where('ended_at', 'is', null)
        .where('expires_at', '>', rotation.now)
        .where('idle_expires_at', '>', rotation.now)
        .where((row) =>
          row.exists(
            row
              .selectFrom('users')
              .select('users.id')
              .whereRef('users.id', '=', 'sessions.user_id')
              .whereRef('users.epoch', '=', 'sessions.user_epoch')
              .where('users.disabled_at', 'is', null),
          ),
        )
        .returningAll()
        .returning(['user_epoch as current_epoch', sql<null>`null`.as('disabled_at')])
        .returning(grants),
    ),
  };
}

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
