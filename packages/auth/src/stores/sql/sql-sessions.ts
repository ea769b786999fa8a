import type { ExpressionBuilder, Kysely, Selectable } from 'kysely';
import type { Position, SessionStanding, SessionStore, SessionUse } from '../../sessions/session-store.ts';
import type { SessionEndReason, SessionRecord } from '../../sessions/session.ts';
import type { Pruned } from '../../upkeep/pruned.ts';
import type { Database } from './schema.ts';
import type { Rotate } from './rotation-batches.ts';
import type { SessionQueries, StandingRow } from './session-queries.ts';
import type { End } from './single-changes.ts';
import { toScopes } from './sql-roles.ts';

/** How the writes are done that may share a commit with others. */
export interface SessionWrites {
  readonly rotate: Rotate;
  readonly end: End;
}

/** Sessions in SQL. */
export class SqlSessions implements SessionStore {
  readonly #db: Kysely<Database>;
  readonly #queries: SessionQueries;
  readonly #writes: SessionWrites;

  constructor(db: Kysely<Database>, queries: SessionQueries, writes: SessionWrites) {
    this.#db = db;
    this.#queries = queries;
    this.#writes = writes;
  }

  async insert(session: SessionRecord): Promise<void> {
    await this.#db.insertInto('sessions').values(toRow(session)).execute();
  }

  async find(id: string): Promise<SessionRecord | undefined> {
    const row = await this.#db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : toRecord(row);
  }

  async findStanding(id: string): Promise<SessionStanding | undefined> {
    const { rows } = await this.#queries.standing(this.#db, { id });
    return rows.map(toStanding)[0];
  }

  async rotate(id: string, generation: number, use: SessionUse): Promise<Position | undefined> {
    const row = await this.#writes.rotate({
      id,
      generation,
      now: use.now.getTime(),
      idleExpiresAt: use.idleExpiresAt.getTime(),
      userAgent: use.userAgent ?? null,
      address: use.address ?? null,
    });
    return row && { asOf: row.head, rightsAsOf: row.rights };
  }

  async fork(id: string, generation: number, use: SessionUse): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('sessions')
      .set({ generation: generation + 1, ...toColumns(use) })
      .where('id', '=', id)
      .where('generation', '=', generation)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  end(id: string, reason: SessionEndReason, now: Date, isAwaited = false): Promise<boolean> {
    return this.#writes.end({ id, reason, now: now.getTime() }, isAwaited);
  }

  async listLive(userId: string, userEpoch: number, now: Date): Promise<readonly SessionRecord[]> {
    const rows = await this.#db
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .where('user_epoch', '=', userEpoch)
      .where((row) => isLive(row, now))
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .execute();
    return rows.map(toRecord);
  }

  async countLive(now: Date, of?: { readonly userId: string; readonly userEpoch: number }): Promise<number> {
    let query = this.#db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .whereRef('user_epoch', '=', 'users.epoch')
      .where((row) => isLive(row, now))
      .select((row) => row.fn.countAll<number>().as('count'));
    if (of !== undefined) query = query.where('user_id', '=', of.userId).where('user_epoch', '=', of.userEpoch);
    return (await query.executeTakeFirstOrThrow()).count;
  }

  async lastMinted(userId: string): Promise<Date | undefined> {
    const { last } = await this.#db
      .selectFrom('sessions')
      .select((row) => row.fn.max('minted_at').as('last'))
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow();
    return last === null ? undefined : new Date(last);
  }

  async prune(after: string, limit: number, before: Date): Promise<Pruned<string>> {
    const stretch = this.#db.selectFrom('sessions').select('id').where('id', '>', after).orderBy('id');
    const last = await stretch
      .limit(1)
      .offset(limit - 1)
      .executeTakeFirst();
    let removal = this.#db.deleteFrom('sessions').where('id', '>', after);
    if (last !== undefined) removal = removal.where('id', '<=', last.id);
    const moment = before.getTime();
    const { numDeletedRows } = await removal
      .where((row) =>
        row.or([row('ended_at', '<', moment), row('idle_expires_at', '<', moment), row('expires_at', '<', moment)]),
      )
      .executeTakeFirst();
    return { removed: Number(numDeletedRows), next: last?.id };
  }
}

function isLive(row: ExpressionBuilder<Database, 'sessions'>, now: Date): ReturnType<typeof row.and> {
  return row.and([
    row('ended_at', 'is', null),
    row('expires_at', '>', now.getTime()),
    row('idle_expires_at', '>', now.getTime()),
  ]);
}

/** What a use writes in either case. */
function toColumns({ now, idleExpiresAt, userAgent, address }: SessionUse): Partial<Selectable<Database['sessions']>> {
  return {
    minted_at: now.getTime(),
    last_used_at: now.getTime(),
    idle_expires_at: idleExpiresAt.getTime(),
    ...(userAgent === undefined ? {} : { user_agent: userAgent }),
    ...(address === undefined ? {} : { address }),
  };
}

function toRow(session: SessionRecord): Selectable<Database['sessions']> {
  return {
    id: session.id,
    user_id: session.userId,
    user_epoch: session.userEpoch,
    generation: session.generation,
    base: session.base,
    minted_at: session.mintedAt.getTime(),
    rotated_at: session.rotatedAt.getTime(),
    salt: session.salt,
    scope: session.scope ?? null,
    created_at: session.createdAt.getTime(),
    last_used_at: session.lastUsedAt.getTime(),
    idle_expires_at: session.idleExpiresAt.getTime(),
    expires_at: session.expiresAt.getTime(),
    ended_at: session.endedAt?.getTime() ?? null,
    end_reason: null,
    user_agent: session.userAgent ?? null,
    address: session.address ?? null,
  };
}

function toStanding(row: StandingRow): SessionStanding {
  return {
    session: toRecord(row),
    asOf: row.head,
    rightsAsOf: row.rights,
    user: {
      id: row.user_id,
      epoch: row.current_epoch,
      disabled: row.disabled_at !== null,
      roles: toScopes(row.roles ?? '').toSorted(),
    },
    scopes: new Set(toScopes(row.scopes ?? '')),
  };
}

function toRecord(row: Selectable<Database['sessions']>): SessionRecord {
  return {
    id: row.id,
    userId: row.user_id,
    userEpoch: row.user_epoch,
    generation: row.generation,
    base: row.base,
    mintedAt: new Date(row.minted_at),
    rotatedAt: new Date(row.rotated_at),
    salt: row.salt,
    scope: row.scope ?? undefined,
    createdAt: new Date(row.created_at),
    lastUsedAt: new Date(row.last_used_at),
    idleExpiresAt: new Date(row.idle_expires_at),
    expiresAt: new Date(row.expires_at),
    endedAt: row.ended_at === null ? undefined : new Date(row.ended_at),
    userAgent: row.user_agent ?? undefined,
    address: row.address ?? undefined,
  };
}
