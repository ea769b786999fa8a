import { Fault, type Verdict } from './fault.ts';

/**
 * A validator that follows the Standard Schema specification, as Zod, Valibot and ArkType do: the part of it that is
 * used here. It must answer synchronously.
 *
 * @see {@link https://standardschema.dev Standard Schema, version 1}
 */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}

/** What a {@link StandardSchema} makes of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing a {@link StandardSchema} has against a value. */
export interface SchemaIssue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Tells whether a value is a validator we can ask. */
export function isStandardSchema(value: unknown): value is StandardSchema<object> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = Reflect.get(value, '~standard');
  return typeof standard === 'object' && standard !== null && typeof Reflect.get(standard, 'validate') === 'function';
}

/** Asks a validator for the claims in its own type; names the first claim it refuses. */
export function validated(schema: StandardSchema<object>, claims: object): Verdict<object> {
  const result: unknown = schema['~standard'].validate(claims);
  if (!isObject(result)) throw new TypeError('The schema must answer with a result');
  if ('then' in result) {
    // What it comes to is of no use here; it must not end the process either.
    Promise.resolve(result).catch(() => undefined);
    throw new TypeError('The schema must validate synchronously');
  }
  if ('issues' in result && result.issues !== undefined) {
    return new Fault('claims_invalid', { claim: nameOf(Array.isArray(result.issues) ? result.issues[0] : undefined) });
  }
  if ('value' in result && isObject(result.value)) return result.value;
  throw new TypeError('The schema must make an object of the claims');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A name that is fit for a log; `*` when the issue is about no claim in particular. */
function nameOf(issue: SchemaIssue | undefined): string {
  const [first] = issue?.path ?? [];
  const key = isObject(first) ? first.key : first;
  return typeof key === 'string' && /^[\x21-\x7e]{1,100}$/.test(key) ? key : '*';
}
