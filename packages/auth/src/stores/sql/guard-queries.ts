import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type List, rowsOf } from './list.ts';
import { prepare, type PreparedQuery } from './prepared.ts';
import type { Database, SqlDialect } from './schema.ts';

/** How far guards have got, as {@link GuardQueries.progress} tells it. */
interface ProgressRow {
  readonly guards: number;
  /** Null where there are no guards. */
  readonly lapsed: number | null;
  readonly lowest: number | null;
}

/** Two moments, in milliseconds. */
interface Moments {
  readonly since: number;
  readonly now: number;
}

/** What is asked of guards all the time, built once for one kind of database. */
export interface GuardQueries {
  /** Writes a list of guards down, each at most once. */
  readonly renew: PreparedQuery<{ readonly list: List }, unknown>;
  readonly progress: PreparedQuery<Moments, ProgressRow>;
}

const columns = { id: 'text', node: 'text', acknowledged: 'bigint', lease_until: 'bigint' } as const;
const columnNames = ['id', 'node', 'acknowledged', 'lease_until'] as const;

export function guardQueries(db: Kysely<Database>, dialect: SqlDialect): GuardQueries {
  return {
    renew: prepare(['list'], ({ list }) =>
      db
        .insertInto('guards')
        .columns(columnNames)
        .expression((from) =>
          from
            .selectFrom(rowsOf(list, columns, dialect))
            .select([
              sql<string>`given.id`.as('id'),
              sql<string>`given.node`.as('node'),
              sql<number>`given.acknowledged`.as('acknowledged'),
              sql<number>`given.lease_until`.as('lease_until'),
            ])
            // Without a condition, SQLite would take what follows for part of the selection.
            .where(sql<boolean>`true`),
        )
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({
            node: (row) => row.ref('excluded.node'),
            acknowledged: greater('acknowledged'),
            lease_until: greater('lease_until'),
          }),
        ),
    ),
    progress: prepare(['since', 'now'], ({ since, now }: Moments) =>
      db
        .selectFrom('guards')
        .select((row) => row.fn.countAll<number>().as('guards'))
        .select(sql<number | null>`sum(case when lease_until > ${now} then 0 else 1 end)`.as('lapsed'))
        .select(sql<number | null>`min(case when lease_until > ${now} then acknowledged end)`.as('lowest'))
        .where('lease_until', '>', since),
    ),
  };
}

/** The greater of what is there and what comes: there is no name for it that every database knows. */
function greater(column: 'acknowledged' | 'lease_until'): RawBuilder<number> {
  const [mine, theirs] = [sql.ref(`guards.${column}`), sql.ref(`excluded.${column}`)];
  return sql<number>`case when ${theirs} > ${mine} then ${theirs} else ${mine} end`;
}
