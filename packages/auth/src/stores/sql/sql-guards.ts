import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { GuardStore, PresentGuard } from '../../feed/guard-store.ts';
import { inParts } from './parts.ts';
import type { Database } from './schema.ts';

/** Guards in SQL. */
export class SqlGuards implements GuardStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async renew(guards: readonly PresentGuard[]): Promise<void> {
    const rows = guards.map(({ id, node, acknowledged, leaseUntil }) => ({
      id,
      node,
      acknowledged,
      lease_until: leaseUntil.getTime(),
    }));
    // In one order for everybody, so that processes that write the same rows cannot stop each other.
    for (const part of inParts(rows.toSorted((one, other) => (one.id < other.id ? -1 : 1)))) {
      await this.#db
        .insertInto('guards')
        .values(part)
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({
            node: (row) => row.ref('excluded.node'),
            acknowledged: greater('acknowledged'),
            lease_until: greater('lease_until'),
          }),
        )
        .execute();
    }
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

  async lowestPlace(leasedAfter: Date): Promise<number | undefined> {
    const { lowest } = await this.#db
      .selectFrom('guards')
      .select((row) => row.fn.min<number | null>('acknowledged').as('lowest'))
      .where('lease_until', '>', leasedAfter.getTime())
      .executeTakeFirstOrThrow();
    return lowest ?? undefined;
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

/** The greater of what is there and what comes: there is no name for it that every database knows. */
function greater(column: 'acknowledged' | 'lease_until'): RawBuilder<number> {
  const [mine, theirs] = [sql.ref(`guards.${column}`), sql.ref(`excluded.${column}`)];
  return sql<number>`case when ${theirs} > ${mine} then ${theirs} else ${mine} end`;
}
