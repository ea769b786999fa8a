import * as z from 'zod';
import { describeSchema } from './openapi-schemas.ts';
import type { Caller, Operation } from './operation.ts';
import { type ErrorCode, describeOAuthError, describeProblem, errorTable } from './responses.ts';
import type { Route } from './routes.ts';
import { oauthError, problem } from './schemas.ts';

type AnyOperation = Operation | Operation<NonNullable<Caller>>;
type ParameterPlace = 'path' | 'query';

/**
 * Describes one row of the route table.
 *
 * @see {@link https://spec.openapis.org/oas/v3.1.0.html#operation-object OpenAPI 3.1.0, section 4.8.10}
 */
export function describeOperation(route: Route): object {
  const { operation } = route;
  const parameters = [...describeParameters(operation.params, 'path'), ...describeParameters(operation.query, 'query')];
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: operation.description,
    security: describeSecurity(route),
    parameters: parameters.length > 0 ? parameters : undefined,
    requestBody: describeBody(operation),
    responses: { ...describeSuccess(operation), ...describeRefusals(route), ...describeErrors(operation) },
  };
}

function describeSecurity(route: Route): readonly object[] {
  if ('open' in route) return route.operation.takesBearer === true ? [{}, { bearer: [] }] : [];
  const scopes = route.requires === 'signed-in' ? [] : [route.requires.scope];
  return [{ oauth2: scopes }, { bearer: scopes }];
}

function describeParameters(schema: z.ZodType | undefined, place: ParameterPlace): readonly object[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).map(([name, field]) => {
    const { description, ...inline } = describeSchema(field, 'input').inline;
    return { name, in: place, required: place === 'path', description, schema: inline };
  });
}

function describeBody({ body }: AnyOperation): object | undefined {
  if (body === undefined) return undefined;
  const schema = describeSchema(body.schema, 'input').inline;
  return {
    required: !body.schema.safeParse(undefined).success,
    content: Object.fromEntries(body.mediaTypes.map((mediaType) => [mediaType, { schema }])),
  };
}

function describeSuccess({ success }: AnyOperation): Readonly<Record<string, object>> {
  const { status, description, schema, mediaType = 'application/json' } = success;
  const body = schema === undefined ? { type: 'string' } : describeSchema(schema, 'output').inline;
  const hasContent = schema !== undefined || success.mediaType !== undefined;
  return { [status]: { description, content: hasContent ? { [mediaType]: { schema: body } } : undefined } };
}

const guardRefusals = {
  401: 'The access token is missing, expired, revoked or not valid: see the `WWW-Authenticate` header',
  403: 'The access token is good but does not carry the scope',
} as const;

/** What the guard answers in front of the operation. */
function describeRefusals(route: Route): Readonly<Record<string, object>> {
  if ('open' in route) return {};
  const statuses = route.requires === 'signed-in' ? ([401] as const) : ([401, 403] as const);
  const content = { 'application/problem+json': { schema: describeSchema(problem, 'output').inline } };
  return Object.fromEntries(statuses.map((status) => [status, { description: guardRefusals[status], content }]));
}

const bodyErrors: readonly ErrorCode[] = [
  'body_malformed',
  'body_too_large',
  'media_type_unsupported',
  'value_invalid',
];

/** The operation's own errors and those of reading its request, by status, each with an example. */
function describeErrors(operation: AnyOperation): Readonly<Record<string, object>> {
  const reading = operation.body === undefined ? [] : bodyErrors;
  const checking: readonly ErrorCode[] =
    operation.query === undefined && operation.params === undefined ? [] : ['value_invalid'];
  const codes = [...new Set([...reading, ...checking, ...(operation.refusals ?? [])])];
  const world = operation.errors === 'oauth' ? oauthWorld : problemWorld;
  const statuses = [...new Set(codes.map(world.statusOf))];
  return Object.fromEntries(
    statuses.map((status) => {
      const group = codes.filter((code) => world.statusOf(code) === status);
      return [status, describeErrorGroup(group, world)];
    }),
  );
}

interface ErrorWorld {
  readonly mediaType: string;
  readonly schema: z.ZodType;
  readonly statusOf: (code: ErrorCode) => number;
  readonly example: (code: ErrorCode) => object;
}

const problemWorld: ErrorWorld = {
  mediaType: 'application/problem+json',
  schema: problem,
  statusOf: (code) => errorTable[code].status,
  example: (code) => describeProblem(code),
};

const oauthWorld: ErrorWorld = {
  mediaType: 'application/json',
  schema: oauthError,
  statusOf: (code) => errorTable[code].oauth?.status ?? errorTable[code].status,
  example: (code) => describeOAuthError(code),
};

function describeErrorGroup(codes: readonly ErrorCode[], { mediaType, schema, example }: ErrorWorld): object {
  return {
    description: codes.map((code) => errorTable[code].detail).join(' · '),
    content: {
      [mediaType]: {
        schema: describeSchema(schema, 'output').inline,
        examples: Object.fromEntries(codes.map((code) => [code, { value: example(code) }])),
      },
    },
  };
}
