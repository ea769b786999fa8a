import * as z from 'zod';
import { JSON_SEQUENCE } from './json-sequence.ts';
import { describeSchema } from './openapi-schemas.ts';
import { type ErrorCode, describeOAuthError, describeProblem, errorTable } from './responses.ts';
import type { Route } from './routes.ts';
import { oauthError, problem } from './schemas.ts';

type AnyOperation = Route['operation'];
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
    responses: {
      ...describeSuccess(operation),
      ...describeFailures([...guardFailures(route), ...operationFailures(route)]),
    },
  };
}

function describeSecurity(route: Route): readonly object[] {
  if ('open' in route) return describeOptionalSecurity(route.operation);
  const guards = 'forGuards' in route ? [{ feedCredential: [] }] : [];
  if (!('requires' in route)) return guards;
  const scopes = route.requires === 'signed-in' ? [] : [route.requires.scope];
  return [{ oauth2: scopes }, { bearer: scopes }, { sessionCookie: scopes }, ...guards];
}

function describeOptionalSecurity({ takesBearer, takesCookies = [] }: AnyOperation): readonly object[] {
  const schemes = [...(takesBearer === true ? ['bearer'] : []), ...takesCookies];
  return schemes.length === 0 ? [] : [{}, ...schemes.map((scheme) => ({ [scheme]: [] }))];
}

function describeParameters(schema: z.ZodType | undefined, place: ParameterPlace): readonly object[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).map(([name, field]) => {
    const { description, ...inline } = describeSchema(field, 'input').inline;
    return { name, in: place, required: place === 'path', description, schema: inline };
  });
}

function describeBody({ body, records }: AnyOperation): object | undefined {
  if (records !== undefined) return describeSequence(records);
  if (body === undefined) return undefined;
  const schema = describeSchema(body.schema, 'input').inline;
  return {
    required: !body.schema.safeParse(undefined).success,
    content: Object.fromEntries(body.mediaTypes.map((mediaType) => [mediaType, { schema }])),
  };
}

function describeSequence(record: z.ZodType): object {
  const { description, ...schema } = describeSchema(record, 'input').inline;
  return { required: true, description, content: { [JSON_SEQUENCE]: { schema } } };
}

function describeSuccess({ success: { others = [], ...success } }: AnyOperation): Readonly<Record<string, object>> {
  return mapGroups(
    [success, ...others],
    ({ status }) => String(status),
    (group) => ({
      description: group.map(({ description }) => description).join(' · '),
      content: describeBodies(group),
    }),
  );
}

type AnySuccess = Pick<AnyOperation['success'], 'schema' | 'mediaType'>;

function describeBodies(group: readonly AnySuccess[]): object | undefined {
  const bodies = group.filter(({ schema, mediaType }) => schema !== undefined || mediaType !== undefined);
  if (bodies.length === 0) return undefined;
  return Object.fromEntries(
    bodies.map(({ schema, mediaType = 'application/json' }) => [
      mediaType,
      { schema: schema === undefined ? { type: 'string' } : describeSchema(schema, 'output').inline },
    ]),
  );
}

/** One way a request can fail. */
interface Failure {
  readonly status: number;
  readonly description: string;
  readonly mediaType: string;
  readonly schema: z.ZodType;
  readonly example?: { readonly code: ErrorCode; readonly value: object };
}

const guardRefusals = {
  400: 'The access token is sent twice, or in a malformed header',
  401: 'The access token is missing, expired, revoked or not valid: see the `WWW-Authenticate` header',
  403: 'The access token is good but does not carry the scope, or its cookie came without proof of whose page sent it',
  503: 'Whether the access token is still good cannot be checked right now: see the `Retry-After` header',
} as const;

/** What the guard answers in front of the operation, or when an open one asks it. */
function guardFailures(route: Route): readonly Failure[] {
  return guardStatuses(route).map((status) => ({
    status,
    description: guardRefusals[status],
    mediaType: 'application/problem+json',
    schema: problem,
  }));
}

function guardStatuses(route: Route): readonly (keyof typeof guardRefusals)[] {
  if ('open' in route) return route.operation.takesBearer === true ? [400, 503] : [];
  if (!('requires' in route)) return [];
  const mayLackRights = route.requires !== 'signed-in';
  return mayLackRights || route.method !== 'GET' ? [400, 401, 403, 503] : [400, 401, 503];
}

const bodyErrors: readonly ErrorCode[] = [
  'body_malformed',
  'body_too_large',
  'media_type_unsupported',
  'value_invalid',
];

/** The operation's own errors and those of reading its request. */
function operationFailures(route: Route): readonly Failure[] {
  const { body, records, params, query, refusals = [], errors } = route.operation;
  const codes: readonly ErrorCode[] = [
    ...(body !== undefined || records !== undefined
      ? bodyErrors
      : route.method === 'GET'
        ? []
        : (['body_malformed'] as const)),
    ...(params === undefined ? [] : (['value_invalid'] as const)),
    ...(query === undefined ? [] : (['query_invalid'] as const)),
    ...refusals,
    ...('forGuards' in route ? guardsRefusals(route) : []),
    // Whoever is let in by the guard is looked up in the database.
    ...('open' in route ? [] : (['store_unavailable'] as const)),
  ];
  return [...new Set(codes)].map(errors === 'oauth' ? toOAuthFailure : toProblemFailure);
}

/** What guards are answered whose credential is not good. Where access tokens serve as well, a missing one is theirs. */
function guardsRefusals(route: Route): readonly ErrorCode[] {
  return 'requires' in route ? ['feed_credential_invalid'] : ['feed_credential_missing', 'feed_credential_invalid'];
}

function toProblemFailure(code: ErrorCode): Failure {
  const { status, detail: description } = errorTable[code];
  const example = { code, value: describeProblem(code) };
  return { status, description, mediaType: 'application/problem+json', schema: problem, example };
}

function toOAuthFailure(code: ErrorCode): Failure {
  const { status, detail: description, oauth } = errorTable[code];
  const example = { code, value: describeOAuthError(code) };
  return { status: oauth?.status ?? status, description, mediaType: 'application/json', schema: oauthError, example };
}

/** Failures by status, and under it by media type, each with its examples. */
function describeFailures(failures: readonly Failure[]): Readonly<Record<string, object>> {
  return mapGroups(
    failures,
    ({ status }) => String(status),
    (group) => ({
      description: group.map(({ description }) => description).join(' · '),
      content: mapGroups(group, ({ mediaType }) => mediaType, describeContent),
    }),
  );
}

function describeContent(group: readonly Failure[]): object {
  const examples = group.flatMap(({ example }) => example ?? []).map(({ code, value }) => [code, { value }] as const);
  return {
    schema: group[0] && describeSchema(group[0].schema, 'output').inline,
    examples: examples.length > 0 ? Object.fromEntries(examples) : undefined,
  };
}

/** Groups items by a key and describes each group, in the order in which the keys come first. */
function mapGroups<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  describe: (group: readonly Item[]) => object,
): Readonly<Record<string, object>> {
  const keys = [...new Set(items.map(keyOf))];
  return Object.fromEntries(keys.map((key) => [key, describe(items.filter((item) => keyOf(item) === key))]));
}
