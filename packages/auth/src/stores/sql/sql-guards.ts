import type { Kysely } from 'kysely';
import type { GuardProgress, GuardStore, PresentGuard } from '../../feed/guard-store.ts';
import { nulRefused } from '../unavailable.ts';
import type { GuardQueries } from './guard-queries.ts';
import { toList } from './list.ts';
import type { Database } from './schema.ts';

/** Guards in SQL. */
export class SqlGuards implements GuardStore {
  readonly #db: Kysely<Database>;
  readonly #queries: GuardQueries;

  constructor(db: Kysely<Database>, queries: GuardQueries) {
    this.#db = db;
    this.#queries = queries;
  }

  async renew(guards: readonly PresentGuard[]): Promise<void> {
    // In one order for everybody, so that processes that write the same rows cannot stop each other.
    const rows = guards
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
      .map(({ id, node, acknowledged, leaseUntil }) => [id, node, acknowledged, leaseUntil.getTime()]);
    const list = toList(rows);
    if (list === undefined) throw nulRefused();
    if (list.length > 0) await this.#queries.renew(this.#db, { list });
  }

  async listLeased(after: Date): Promise<readonly PresentGuard[]> {
    const rows = await this.#db
      .selectFrom('guards')
      .selectAll()
      .where('lease_until', '>', after.getTime())
      .orderBy('id')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      node: row.node,
      acknowledged: row.acknowledged,
      leaseUntil: new Date(row.lease_until),
    }));
  }

  async progress(since: Date, now: Date): Promise<GuardProgress> {
    const { rows } = await this.#queries.progress(this.#db, { since: since.getTime(), now: now.getTime() });
    const [{ guards, lapsed, lowest } = { guards: 0, lapsed: null, lowest: null }] = rows;
    return { guards, lapsed: lapsed ?? 0, lowest: lowest ?? undefined };
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom('guards').where('id', '=', id).execute();
  }

  async prune(before: Date): Promise<number> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('guards')
      .where('lease_until', '<', before.getTime())
      .executeTakeFirst();
    return Number(numDeletedRows);
  }
}
