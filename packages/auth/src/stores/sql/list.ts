import { sql, type AliasedRawBuilder, type RawBuilder } from 'kysely';
import { derived } from './prepared.ts';
import type { SqlDialect } from './schema.ts';

type Value = string | number | null;

/** Rows that a statement takes, however many there are. */
export type List = readonly (readonly Value[])[];

/** One column of a list, in the order of its rows: the one kind of array that is handed to PostgreSQL. */
export class ListColumn extends Array<Value> {}

/**
 * Takes rows for a statement. Undefined when a value holds a NUL, which is refused where the value stands alone: among
 * others, it would be all of them.
 */
export function toList(rows: List): List | undefined {
  const holdsNul = rows.some((row) => row.some((value) => typeof value === 'string' && value.includes('\0')));
  return holdsNul ? undefined : rows;
}

/** What such a list holds, as a table called `given`. */
export function rowsOf(
  list: List,
  columns: Readonly<Record<string, 'text' | 'bigint'>>,
  { name }: SqlDialect,
): AliasedRawBuilder<object, 'given'> {
  return name === 'postgres' ? rowsOfArrays(list, columns) : rowsOfJson(list, columns);
}

function rowsOfArrays(list: List, columns: Readonly<Record<string, string>>): AliasedRawBuilder<object, 'given'> {
  const arrays = Object.values(columns).map((type, place) => {
    const column = derived(list, (rows) => ListColumn.from(rows, (row) => row[place] ?? null));
    return sql`cast(${column} as ${sql.raw(type)}[])`;
  });
  const names = Object.keys(columns).map((column) => sql.ref(column));
  return sql<object>`unnest(${sql.join(arrays)})`.as<'given'>(sql`given (${sql.join(names)})`);
}

function rowsOfJson(list: List, columns: Readonly<Record<string, string>>): AliasedRawBuilder<object, 'given'> {
  const text = derived(list, (rows) => JSON.stringify(rows));
  const selected = Object.entries(columns).map(([column, type], place) => {
    const value: RawBuilder<unknown> = sql`value->>${sql.lit(place)}`;
    return sql`${type === 'text' ? value : sql`cast(${value} as bigint)`} as ${sql.ref(column)}`;
  });
  return sql<object>`(select ${sql.join(selected)} from json_each(${text}))`.as<'given'>(sql`given`);
}
