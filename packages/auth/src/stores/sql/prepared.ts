import type { Compilable, Kysely, QueryResult } from 'kysely';
import type { Database } from './schema.ts';

/** Stands in a query for a value that comes later. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Runs a query that is already built, inside a transaction or outside. */
export type PreparedQuery<Values, Row> = (db: Kysely<Database>, values: Values) => Promise<QueryResult<Row>>;

/** Builds a query once, for where it is asked so often that building it each time would cost more than running it. */
export function prepare<Values extends object, Row>(
  names: readonly (keyof Values & string)[],
  build: (values: Values) => Compilable<Row>,
): PreparedQuery<Values, Row> {
  const placeholders = Object.fromEntries(names.map((name) => [name, new Placeholder(name)])) as unknown as Values;
  const query = build(placeholders).compile();
  return (db, values) =>
    db.executeQuery({
      ...query,
      parameters: query.parameters.map((each) =>
        each instanceof Placeholder ? values[each.name as keyof Values] : each,
      ),
    });
}
