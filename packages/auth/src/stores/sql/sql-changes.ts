import { sql, type Kysely, type Selectable, type SelectQueryBuilder } from 'kysely';
import type { ChangeStore, ExpiryCursor } from '../../changes/change-store.ts';
import {
  expiryOf,
  isAboutRoles,
  type Change,
  type ChangeBatch,
  type LogPosition,
  type NewChange,
} from '../../changes/change.ts';
import type { Pruned } from '../../upkeep/pruned.ts';
import { inParts } from './parts.ts';
import type { Database, SqlDialect } from './schema.ts';

/** Where PostgreSQL tells its listeners how long the log is now. */
export const notificationChannel = 'sallyport_feed';

/**
 * Gives changes their places in the log. The last thing a transaction does: the head row is a lock for everybody who
 * appends, and it must not be held while anything else happens.
 */
export async function appendChanges(
  db: Kysely<Database>,
  { name }: SqlDialect,
  changes: readonly NewChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const last = changes.findLastIndex(isAboutRoles);
  const advance = db
    .updateTable('feed_head')
    .set((row) => ({
      sequence: row('sequence', '+', changes.length),
      ...(last === -1 ? {} : { rights_sequence: row('sequence', '+', last + 1) }),
    }))
    .where('id', '=', 1)
    .returning(['sequence', 'token_lifetime']);
  // It is delivered when, and if, the transaction commits.
  const notify = sql<null>`pg_notify(${notificationChannel}, sequence::text)`.as('notified');
  const { sequence: head, token_lifetime: tokenLifetime } = await (
    name === 'postgres' ? advance.returning(notify) : advance
  ).executeTakeFirstOrThrow();
  const rows = changes.map((change, index) => toRow(change, head - changes.length + index + 1, tokenLifetime));
  for (const part of inParts(rows)) await db.insertInto('feed_log').values(part).execute();
}

/** Reads the change log. */
export class SqlChanges implements ChangeStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async head(): Promise<number> {
    return (await this.#head()).sequence;
  }

  async tokenLifetime(): Promise<number> {
    return (await this.#head()).token_lifetime;
  }

  async position(): Promise<LogPosition> {
    const { incarnation, sequence, token_lifetime: tokenLifetime, credentials } = await this.#head();
    return { incarnation, head: sequence, tokenLifetime, credentialVersion: credentials };
  }

  async readSince(cursor: number): Promise<ChangeBatch> {
    // The head is read first: everything up to it has been committed, so nothing before it can still appear.
    const { incarnation, sequence: head } = await this.#head();
    if (cursor === head) return { incarnation, head, changes: [] };
    const rows = await this.#between(cursor, head).orderBy('sequence').execute();
    return { incarnation, head, changes: rows.map(toChange) };
  }

  async readBetween(after: number, upTo: number, limit: number): Promise<readonly Change[]> {
    return (await this.#between(after, upTo).orderBy('sequence').limit(limit).execute()).map(toChange);
  }

  async readLasting(after: number, upTo: number, limit: number): Promise<readonly Change[]> {
    const lasting = this.#between(after, upTo).where('expires_at', 'is', null);
    return (await lasting.orderBy('sequence').limit(limit).execute()).map(toChange);
  }

  async readExpiring({ expiresAt, sequence }: ExpiryCursor, upTo: number, limit: number): Promise<readonly Change[]> {
    const rows = await this.#db
      .selectFrom('feed_log')
      .selectAll()
      .where(sql<boolean>`(expires_at, sequence) > (${expiresAt}, ${sequence})`)
      // The sign keeps databases from going through the whole log by its own order.
      .where(sql<boolean>`+sequence <= ${upTo}`)
      .orderBy('expires_at')
      .orderBy('sequence')
      .limit(limit)
      .execute();
    return rows.map(toChange);
  }

  async find(kind: number, key: string): Promise<Change | undefined> {
    const row = await this.#db
      .selectFrom('feed_log')
      .selectAll()
      .where('kind', '=', kind)
      .where('key', '=', key)
      .orderBy('sequence', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? undefined : toChange(row);
  }

  async time(): Promise<Date | undefined> {
    const { rows } = await sql<{ now: unknown }>`select current_timestamp as now`.execute(this.#db);
    // SQLite, which has this computer's clock, answers in text.
    return rows[0]?.now instanceof Date ? rows[0].now : undefined;
  }

  async prune(after: number, limit: number, before: Date): Promise<Pruned<number>> {
    const stretch = this.#db.selectFrom('feed_log').select('sequence').where('sequence', '>', after);
    const last = await stretch
      .orderBy('sequence')
      .limit(1)
      .offset(limit - 1)
      .executeTakeFirst();
    let removal = this.#db.deleteFrom('feed_log').where('sequence', '>', after);
    if (last !== undefined) removal = removal.where('sequence', '<=', last.sequence);
    const seconds = Math.floor(before.getTime() / 1000);
    const { numDeletedRows } = await removal.where('expires_at', '<', seconds).executeTakeFirst();
    return { removed: Number(numDeletedRows), next: last?.sequence };
  }

  #head(): Promise<Selectable<Database['feed_head']>> {
    return this.#db.selectFrom('feed_head').selectAll().where('id', '=', 1).executeTakeFirstOrThrow();
  }

  #between(after: number, upTo: number): SelectQueryBuilder<Database, 'feed_log', Selectable<Database['feed_log']>> {
    return this.#db.selectFrom('feed_log').selectAll().where('sequence', '>', after).where('sequence', '<=', upTo);
  }
}

function toRow(change: NewChange, sequence: number, tokenLifetime: number): Selectable<Database['feed_log']> {
  const { kind, key, critical, acknowledge = false, data } = change;
  return {
    sequence,
    kind,
    key,
    expires_at: expiryOf(change, tokenLifetime) ?? null,
    critical: Number(critical),
    acknowledge: Number(acknowledge),
    data: data === undefined ? null : JSON.stringify(data),
  };
}

function toChange(row: Selectable<Database['feed_log']>): Change {
  const { sequence, kind, key } = row;
  const change = {
    sequence,
    kind,
    key,
    expiresAt: row.expires_at ?? undefined,
    critical: row.critical === 1,
    acknowledge: row.acknowledge === 1,
  };
  return row.data === null ? change : { ...change, data: JSON.parse(row.data) as unknown };
}
