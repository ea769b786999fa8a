import { type Auth, type Device, type FeedCredential, isAuthError } from '@sallyport/auth';
import type { Access } from '@sallyport/guard';
import * as z from 'zod';
import type { BodyMediaType } from './body.ts';
import type { BrowserSession } from './browser-session.ts';
import { HttpError } from './http-error.ts';
import type { ErrorCode } from './responses.ts';
import { validate } from './validation.ts';

/** Who calls: the verified bearer of an access token, a guard, or nobody in particular on an open route. */
export type Caller = Access | FeedCredential | undefined;

/** The cookies that stand for a session, as the API document calls them. */
export type CookieScheme = 'sessionCookie' | 'refreshCookie';

/** The part of an API an operation is listed under. */
export type Tag = 'Tokens' | 'Browser' | 'Account' | 'Users' | 'Roles' | 'Keys' | 'Feed' | 'Discovery' | 'Health';

/** What every operation can use. */
export interface OperationContext<Who extends Caller> {
  readonly auth: Auth;
  readonly caller: Who;
  /** What is known of the client, for its session. */
  readonly device: Device;
  readonly request: Request;
  /** The session in the cookies of the browser, if there is one. */
  readonly browser: BrowserSession;
  /** The path this server is mounted below, when the host framework said so. */
  readonly basePath: string | undefined;
  /** Checks the request's bearer token where a route does not demand one; throws what the guard refuses. */
  readonly authenticate: () => Promise<Access>;
  /** The OpenAPI document of all routes. */
  readonly describeApi: () => object;
  /** Reports what went wrong once the answer had begun, and no status can tell any more. */
  readonly reportFailure: (error: unknown) => void;
}

/** The parts of a request before they are checked. */
export interface RawInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: object | undefined;
}

interface BodyDefinition<Schema extends z.ZodType> {
  /** An optional schema makes an operation that works without a body. */
  readonly schema: Schema;
  readonly mediaTypes: readonly BodyMediaType[];
  /** Refuses a body for a reason that goes before those of its fields, by throwing it. Default: there is none. */
  readonly precheck?: (body: object) => void;
}

interface Success<Schema extends z.ZodType> {
  readonly status: 200 | 201 | 204 | 302;
  readonly description: string;
  /** The shape of the JSON body. None: no body, or a `Response` of the operation's own. */
  readonly schema?: Schema;
  /** The media type. Default: `application/json`. */
  readonly mediaType?: string;
  /** Default: `no-store`. */
  readonly cacheControl?: string;
  /** What else may be answered, by a `Response` of the operation's own. Default: nothing. */
  readonly others?: readonly OtherSuccess[];
}

interface OtherSuccess {
  readonly status: 200 | 304;
  readonly description: string;
  /** Default: no body. */
  readonly mediaType?: string;
  readonly schema?: z.ZodType;
}

interface OperationFacts {
  /** The `operationId` of the API document. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** How failures are worded: RFC 6749 section 5.2 for the token endpoints, RFC 9457 elsewhere. Default: `problem`. */
  readonly errors?: 'oauth' | 'problem';
  /** The shape of each record, where the operation reads its body itself, as a sequence of JSON. Default: it does not. */
  readonly records?: z.ZodType;
  /** Whether an open route reads a bearer token when there is one. Default: `false`. */
  readonly takesBearer?: true;
  /** The cookies that an open route reads when they are there. Default: none. */
  readonly takesCookies?: readonly CookieScheme[];
  /** Whether a request comes so often, as a matter of course, that its line in the log is for debugging. Default: none does. */
  readonly isRoutine?: (url: URL) => boolean;
  /** The errors of its own that the operation documents; those of reading the request are known from its shape. */
  readonly refusals?: readonly ErrorCode[];
}

/** Refuses a request before its body is read, by throwing what is answered. */
type Admission<Who extends Caller> = (context: OperationContext<Who>) => void;

interface OperationDefinition<
  Who extends Caller,
  Body extends z.ZodType,
  Query extends z.ZodType,
  Params extends z.ZodType,
  Result extends z.ZodType,
> extends OperationFacts {
  /** Default: nothing is refused. */
  readonly admit?: Admission<Who>;
  readonly body?: BodyDefinition<Body>;
  readonly query?: Query;
  readonly params?: Params;
  readonly success: Success<Result>;
  readonly handle: (
    input: OperationContext<Who> & {
      readonly body: z.output<Body>;
      readonly query: z.output<Query>;
      readonly params: z.output<Params>;
    },
  ) => Promise<z.output<Result> | Response>;
}

/** One thing the API can do: what it reads, what it answers, and how. Rows of the route table point at operations. */
export interface Operation<Who extends Caller = undefined> extends OperationFacts {
  readonly admit?: Admission<Who>;
  readonly body: BodyDefinition<z.ZodType> | undefined;
  readonly query: z.ZodType | undefined;
  readonly params: z.ZodType | undefined;
  readonly success: Success<z.ZodType>;
  /** Checks the raw input, handles it, and gives the response body, or a whole response. */
  readonly run: (context: OperationContext<Who>, input: RawInput) => Promise<unknown>;
}

/**
 * Ties an operation's schemas to its handler, so that the handler sees checked, typed input and must return the
 * documented shape.
 */
export function defineOperation<
  Who extends Caller = undefined,
  Body extends z.ZodType = z.ZodVoid,
  Query extends z.ZodType = z.ZodVoid,
  Params extends z.ZodType = z.ZodVoid,
  Result extends z.ZodType = z.ZodVoid,
>(definition: OperationDefinition<Who, Body, Query, Params, Result>): Operation<Who> {
  const { body, query, params, handle, ...facts } = definition;
  return {
    ...facts,
    body,
    query,
    params,
    run: async (context, input) => {
      const checked = {
        params: checkPart(params, input.params, 'value_invalid'),
        query: checkPart(query, input.query, 'query_invalid'),
        body: checkBody(body, input.body),
      };
      try {
        return await handle({ ...context, ...checked });
      } catch (error) {
        throw blameQuery(error, query);
      }
    },
  };
}

function checkBody<Schema extends z.ZodType>(
  definition: BodyDefinition<Schema> | undefined,
  body: object | undefined,
): z.output<Schema> {
  if (body !== undefined) definition?.precheck?.(body);
  else if (definition?.schema.safeParse(undefined).success === false) {
    throw new HttpError('body_malformed', { reason: 'The request needs a body' });
  }
  return checkPart(definition?.schema, body, 'value_invalid');
}

// Without a schema the part is `void` by the type parameter's default, which the compiler cannot relate to `undefined`.
function checkPart<Schema extends z.ZodType>(
  schema: Schema | undefined,
  value: unknown,
  code: 'value_invalid' | 'query_invalid',
): z.output<Schema> {
  return schema === undefined ? (undefined as z.output<Schema>) : validate(schema, value, code);
}

/** The engine knows values, not where they came from: one of the query is refused like the others of the query. */
function blameQuery(error: unknown, query: z.ZodType | undefined): unknown {
  if (!isAuthError(error) || error.code !== 'value_invalid' || !(query instanceof z.ZodObject)) return error;
  const { field, reason } = error.details;
  if (!Object.hasOwn(query.shape, field)) return error;
  return new HttpError('query_invalid', { errors: [{ field, message: reason }] }, { cause: error });
}
