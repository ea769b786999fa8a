import * as z from 'zod';
import type { Route } from './routes.ts';

type JsonObject = Readonly<Record<string, unknown>>;

interface Described {
  /** What to write where the schema is used: a reference when it has a name (`meta({ id })`), else the schema itself. */
  readonly inline: JsonObject;
  /** The named schemas it consists of. */
  readonly named: JsonObject;
}

/** The JSON Schema of a value that is sent (`input`) or answered (`output`). */
export function describeSchema(schema: z.ZodType, direction: 'input' | 'output'): Described {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: direction, target: 'draft-2020-12' });
  // In an OpenAPI document named schemas live under components instead of beside the schema that uses them.
  const relocated = JSON.stringify(described).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/');
  const { $defs: named = {}, ...inline } = JSON.parse(relocated) as JsonObject & { readonly $defs?: JsonObject };
  return { inline, named };
}

/** Every named schema of the routes and of the error bodies, in alphabetical order: `components.schemas`. */
export function describeNamedSchemas(routes: readonly Route[], errorBodies: readonly z.ZodType[]): JsonObject {
  const inputs = routes.flatMap(({ operation }) => operation.body?.schema ?? []);
  const outputs = routes
    .flatMap(({ operation: { success } }) => [success, ...(success.others ?? [])])
    .flatMap(({ schema }) => schema ?? []);
  const described = [
    ...inputs.map((schema) => describeSchema(schema, 'input')),
    ...[...outputs, ...errorBodies].map((schema) => describeSchema(schema, 'output')),
  ];
  const named = described.flatMap((each) => Object.entries(each.named));
  return Object.fromEntries(named.toSorted(([a], [b]) => a.localeCompare(b)));
}
