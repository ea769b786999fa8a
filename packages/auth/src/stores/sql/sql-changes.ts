import { sql, type Kysely, type Selectable } from 'kysely';
import type { ChangeStore } from '../../changes/change-store.ts';
import { expiryOf, isAboutRoles, type Change, type ChangeBatch, type NewChange } from '../../changes/change.ts';
import type { Pruned } from '../../upkeep/pruned.ts';
import { inParts } from './parts.ts';
import type { Database } from './schema.ts';

/**
 * Gives changes their places in the log. The last thing a transaction does: the head row is a lock for everybody who
 * appends, and it must not be held while anything else happens.
 */
export async function appendChanges(db: Kysely<Database>, changes: readonly NewChange[]): Promise<void> {
  if (changes.length === 0) return;
  const last = changes.findLastIndex(isAboutRoles);
  const { sequence: head, token_lifetime: tokenLifetime } = await db
    .updateTable('feed_head')
    .set((row) => ({
      sequence: row('sequence', '+', changes.length),
      ...(last === -1 ? {} : { rights_sequence: row('sequence', '+', last + 1) }),
    }))
    .where('id', '=', 1)
    .returning(['sequence', 'token_lifetime'])
    .executeTakeFirstOrThrow();
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
    const { token_lifetime: lifetime } = await this.#db
      .selectFrom('feed_head')
      .select('token_lifetime')
      .where('id', '=', 1)
      .executeTakeFirstOrThrow();
    return lifetime;
  }

  async readSince(cursor: number): Promise<ChangeBatch> {
    // The head is read first: everything up to it has been committed, so nothing before it can still appear.
    const { incarnation, sequence: head } = await this.#head();
    if (cursor === head) return { incarnation, head, changes: [] };
    const rows = await this.#db
      .selectFrom('feed_log')
      .selectAll()
      .where('sequence', '>', cursor)
      .where('sequence', '<=', head)
      .orderBy('sequence')
      .execute();
    return { incarnation, head, changes: rows.map(toChange) };
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

  #head(): Promise<{ incarnation: string; sequence: number }> {
    return this.#db
      .selectFrom('feed_head')
      .select(['incarnation', 'sequence'])
      .where('id', '=', 1)
      .executeTakeFirstOrThrow();
  }
}

function toRow(change: NewChange, sequence: number, tokenLifetime: number): Selectable<Database['feed_log']> {
  const { kind, key, critical, data } = change;
  return {
    sequence,
    kind,
    key,
    expires_at: expiryOf(change, tokenLifetime) ?? null,
    critical: Number(critical),
    data: data === undefined ? null : JSON.stringify(data),
  };
}

function toChange(row: Selectable<Database['feed_log']>): Change {
  const { sequence, kind, key, critical } = row;
  const change = { sequence, kind, key, expiresAt: row.expires_at ?? undefined, critical: critical === 1 };
  return row.data === null ? change : { ...change, data: JSON.parse(row.data) as unknown };
}
