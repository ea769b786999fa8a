import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely';
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
  const fill = filling(names, build);
  return (db, values) => db.executeQuery(fill(values));
}

/**
 * The same for queries that SQLite does one after the other in one go, all of them or none. None depends on what another
 * tells; the rows are those of the first.
 */
export function prepareSteps<Values extends object, Row>(
  names: readonly (keyof Values & string)[],
  first: (values: Values) => Compilable<Row>,
  ...others: readonly ((values: Values) => Compilable)[]
): PreparedQuery<Values, Row> {
  const fill = filling(names, first);
  const fillOthers = others.map((build) => filling(names, build));
  return (db, values) => {
    const query = fill(values);
    const steps = [query, ...fillOthers.map((fillStep) => fillStep(values))];
    const whole: StepwiseQuery<Row> = { ...query, parameters: steps.flatMap(({ parameters }) => parameters), steps };
    return db.executeQuery(whole);
  };
}

/** Several queries as one. */
interface StepwiseQuery<Row> extends CompiledQuery<Row> {
  /** Those of all steps: whoever refuses what no database keeps finds it there. */
  readonly parameters: readonly unknown[];
  readonly steps: readonly CompiledQuery[];
}

/** What a query consists of: itself, but for those of {@link prepareSteps}. */
export function stepsOf(query: CompiledQuery): readonly CompiledQuery[] {
  return 'steps' in query ? (query as StepwiseQuery<unknown>).steps : [query];
}

/** Builds a query, which is then filled with values. */
function filling<Values extends object, Row>(
  names: readonly (keyof Values & string)[],
  build: (values: Values) => Compilable<Row>,
): (values: Values) => CompiledQuery<Row> {
  const placeholders = Object.fromEntries(
    names.map((name) => [name, new Placeholder(name, (value) => value)]),
  ) as unknown as Values;
  const query = build(placeholders).compile();
  return (values) => ({
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
