import { sql, type AliasedRawBuilder } from 'kysely';
import type { SqlDialect } from './schema.ts';

/**
 * Writes rows as one parameter, however many there are. Undefined when a value holds a NUL, which is refused where the
 * value stands alone: written as JSON, not every database would notice.
 */
export function toList(rows: readonly (readonly (string | number | null)[])[]): string | undefined {
  const list = JSON.stringify(rows);
  return list.includes(String.raw`\u0000`) ? undefined : list;
}

/** What such a list holds, as a table called `given`. */
export function rowsOf(
  list: string,
  columns: Readonly<Record<string, 'text' | 'bigint'>>,
  { name }: SqlDialect,
): AliasedRawBuilder<object, 'given'> {
  const values = name === 'postgres' ? sql`json_array_elements(cast(${list} as json))` : sql`json_each(${list})`;
  const selected = Object.entries(columns).map(([column, type], place) => {
    const value = sql`value->>${sql.lit(place)}`;
    return sql`${type === 'text' ? value : sql`cast(${value} as bigint)`} as ${sql.ref(column)}`;
  });
  return sql<object>`(select ${sql.join(selected)} from ${values})`.as<'given'>(sql`given`);
}
