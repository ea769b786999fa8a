import { sql, type AliasedRawBuilder, type RawBuilder } from 'kysely';
import type { SqlDialect } from './schema.ts';

/**
 * Writes rows as one parameter, however many there are. Undefined when a value holds a NUL, which is refused where the
 * value stands alone: written as JSON, not every database would notice.
 */
export function toList(rows: readonly (readonly (string | number | null)[])[]): string | undefined {
  const holdsNul = rows.some((row) => row.some((value) => typeof value === 'string' && value.includes('\0')));
  return holdsNul ? undefined : JSON.stringify(rows);
}

/** What such a list holds, as a table called `given`. */
export function rowsOf(
  list: string,
  columns: Readonly<Record<string, 'text' | 'bigint'>>,
  { name }: SqlDialect,
): AliasedRawBuilder<object, 'given'> {
  const values = name === 'postgres' ? elementsOf(list) : sql`json_each(${list})`;
  const selected = Object.entries(columns).map(([column, type], place) => {
    const value = sql`value->>${sql.lit(place)}`;
    return sql`${type === 'text' ? value : sql`cast(${value} as bigint)`} as ${sql.ref(column)}`;
  });
  return sql<object>`(select ${sql.join(selected)} from ${values})`.as<'given'>(sql`given`);
}

/** PostgreSQL takes any list for a hundred rows, unless it is told; short lists were then better off without an index. */
function elementsOf(list: string): RawBuilder<unknown> {
  const json = sql`cast(${list} as json)`;
  return sql`json_array_elements(${json}) limit json_array_length(${json})`;
}
