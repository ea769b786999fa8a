import { sql, type Kysely, type Selectable, type SelectQueryBuilder } from 'kysely';
import type { ChangeStore, ExpiryCursor } from '../../changes/change-store.ts';
import type { Change, ChangeBatch, ChangeSubject, LogPosition } from '../../changes/change.ts';
import type { Pruned } from '../../upkeep/pruned.ts';
import { Batches } from './batches.ts';
import { toList } from './list.ts';
import type { ChangeQueries, LogRow, PositionRow } from './change-queries.ts';
import type { Database } from './schema.ts';

/** The last entry about something, if there is one. */
interface Found {
  readonly change?: Change | undefined;
}

/** Reads the change log. */
export class SqlChanges implements ChangeStore {
  readonly #db: Kysely<Database>;
  readonly #queries: ChangeQueries;

  /** What is looked for at the same moment is found together. */
  readonly #finds = new Batches<ChangeSubject, Found>({
    most: 256,
    atOnce: 2,
    // Reads do not mind each other: many may look for the same at the same time.
    subjectOf: (sought) => sought,
    together: (sought) => this.#findTogether(sought),
    alone: async (sought) => ({ change: await this.#findAlone(sought) }),
  });

  constructor(db: Kysely<Database>, queries: ChangeQueries) {
    this.#db = db;
    this.#queries = queries;
  }

  async head(): Promise<number> {
    return (await this.#head()).sequence;
  }

  async tokenLifetime(): Promise<number> {
    return (await this.#head()).token_lifetime;
  }

  async position(): Promise<LogPosition> {
    const { sequence: head, ...row } = await this.#head();
    return toPosition({ ...row, head });
  }

  async readSince(cursor: number, limit: number = Number.MAX_SAFE_INTEGER): Promise<ChangeBatch> {
    const { rows } = await this.#queries.readSince(this.#db, { cursor, limit });
    const [first] = rows;
    if (first === undefined) throw new Error('the log has no head');
    return { ...toPosition(first), changes: rows.filter(hasEntry).map(toChange) };
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
    return (await this.#finds.ask({ kind, key })).change;
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

  async #findTogether(sought: readonly ChangeSubject[]): Promise<ReadonlyMap<unknown, Found>> {
    const list = toList(sought.map(({ kind, key }) => [kind, key]));
    if (list === undefined) return new Map();
    const { rows } = await this.#queries.findMany(this.#db, { list });
    const changes = new Map(rows.map((row) => [nameOf(row), toChange(row)]));
    return new Map(sought.map((each) => [each, { change: changes.get(nameOf(each)) }]));
  }

  async #findAlone({ kind, key }: ChangeSubject): Promise<Change | undefined> {
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

  #head(): Promise<Selectable<Database['feed_head']>> {
    return this.#db.selectFrom('feed_head').selectAll().where('id', '=', 1).executeTakeFirstOrThrow();
  }

  #between(after: number, upTo: number): SelectQueryBuilder<Database, 'feed_log', Selectable<Database['feed_log']>> {
    return this.#db.selectFrom('feed_log').selectAll().where('sequence', '>', after).where('sequence', '<=', upTo);
  }
}

const nameOf = ({ kind, key }: ChangeSubject): string => `${kind} ${key}`;

function toPosition(row: PositionRow): LogPosition {
  const { incarnation, head, token_lifetime: tokenLifetime, credentials: credentialVersion } = row;
  return { incarnation, head, tokenLifetime, credentialVersion };
}

/** Beside the head there is nothing where the log has not grown. */
function hasEntry(row: LogRow): row is LogRow & Selectable<Database['feed_log']> {
  return row.sequence !== null;
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
