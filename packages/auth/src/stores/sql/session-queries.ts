import { sql, type ExpressionBuilder, type Kysely, type Selectable, type SelectQueryBuilder } from 'kysely';
import { prepare, type PreparedQuery } from './prepared.ts';
import type { Database } from './schema.ts';

/** What every refresh asks. */
export interface SessionQueries {
  readonly standing: PreparedQuery<{ readonly id: string }, StandingRow>;
  readonly rotate: PreparedQuery<Rotation, unknown>;
}

interface StandingRow extends Selectable<Database['sessions']> {
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
    // One statement sees one moment: what it reads of the log, the session, the user and the roles belongs together.
    standing: prepare(['id'], ({ id }) =>
      db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .selectAll('sessions')
        .select(['users.epoch as current_epoch', 'users.disabled_at'])
        .select((row) => [
          row.selectFrom('feed_head').select('sequence').as('head'),
          rolesOf(row)
            .select(sql<string>`string_agg(roles.name, ' ')`.as('names'))
            .as('roles'),
          rolesOf(row)
            .select(sql<string>`string_agg(roles.scopes, ' ')`.as('scopes'))
            .as('scopes'),
        ])
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
        .where('ended_at', 'is', null),
    ),
  };
}

function rolesOf(
  row: ExpressionBuilder<Database, 'users'>,
): SelectQueryBuilder<Database, 'users' | 'user_roles' | 'roles', object> {
  return row
    .selectFrom('user_roles')
    .innerJoin('roles', 'roles.name', 'user_roles.role')
    .whereRef('user_roles.user_id', '=', 'users.id');
}
