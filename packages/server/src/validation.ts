import type * as z from 'zod';
import { type FieldError, HttpError } from './http-error.ts';

const MAX_ERRORS = 20;
const MAX_NAME_LENGTH = 100;

/** What each type is called in a message. */
const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'an object',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/**
 * Checks a value against a schema and returns the typed result.
 *
 * @throws {HttpError} with the given code and a message for every field that is wrong; values are never repeated in it
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: 'value_invalid' | 'query_invalid',
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new HttpError(code, { errors: listErrors(schema, value) });
}

/** Checks once more, for the words: to have them at hand where all is well costs several times the check. */
function listErrors(schema: z.ZodType, value: unknown): readonly FieldError[] {
  const issues = schema.safeParse(value, { error: describeIssue }).error?.issues ?? [];
  return firstOfEachField(issues.flatMap(toFieldErrors)).slice(0, MAX_ERRORS);
}

function firstOfEachField(errors: readonly FieldError[]): readonly FieldError[] {
  const first = new Map<string, FieldError>();
  for (const error of errors) if (!first.has(error.field)) first.set(error.field, error);
  return [...first.values()];
}

function toFieldErrors(issue: z.core.$ZodIssue): readonly FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: clip([...issue.path, key].join('.')), message: 'is not a known field' }));
  }
  return [{ field: clip(issue.path.join('.')), message: issue.message }];
}

function clip(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
}

function describeIssue(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') {
    return issue.input === undefined ? 'is required' : `must be ${typeNames[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'too_small')
    return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return issue.origin === 'number' ? `must be at most ${issue.maximum}` : 'is too long';
  return 'has the wrong form';
}
