import type { Compilable, Kysely, QueryResult } from 'kysely';
import type { Database } from './schema.ts';

/** Stands in a query for a value that comes later, or for what is made of it then. */
class Placeholder {
  readonly name: string;
  readonly derive: (value: unknown) => unknown;

  constructor(name: string, derive: (value: unknown) => unknown) {
    this.name = name;
    this.derive = derive;
  }
}

/** Runs a query that is already built, inside a transaction or outside. */
export type PreparedQuery<Values, Row> = (db: Kysely<Database>, values: Values) => Promise<QueryResult<Row>>;

/** Builds a query once, for where it is asked so often that building it each time would cost more than running it. */
export function prepare<Values extends object, Row>(
  names: readonly (keyof Values & string)[],
  build: (values: Values) => Compilable<Row>,
): PreparedQuery<Values, Row> {
  const placeholders = Object.fromEntries(
    names.map((name) => [name, new Placeholder(name, (value) => value)]),
  ) as unknown as Values;
  const query = build(placeholders).compile();
  return (db, values) =>
    db.executeQuery({
      ...query,
      parameters: query.parameters.map((each) =>
        each instanceof Placeholder ? each.derive(values[each.name as keyof Values]) : each,
      ),
    });
}

/** A parameter of a query that {@link prepare} builds: what is made of a value when it comes. */
export function derived<Value>(value: Value, derive: (value: Value) => unknown): unknown {
  if (!(value instanceof Placeholder)) throw new TypeError('only a query that is prepared has such parameters');
  return new Placeholder(value.name, derive as (value: unknown) => unknown);
}
