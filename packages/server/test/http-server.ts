import { type Auth, type AuthConfig, createAuth } from '@sallyport/auth';
import { sqlite } from '@sallyport/auth/sqlite';
import { createHandler, type HandlerOptions, type RequestInfo } from 'sallyport';
import { expect } from 'vitest';
import { describeOperation } from '../src/openapi-operation.ts';
import { errorTable } from '../src/responses.ts';
import { type Route, routes } from '../src/routes.ts';
import { oauthError, problem } from '../src/schemas.ts';

export const issuer = 'http://127.0.0.1:8000';
export const goodPassword = 'violet-Kestrel-41-harbour';

/** What a test sends. An object body goes as JSON, `URLSearchParams` as a form, text as it is. */
export interface Call {
  readonly token?: string;
  readonly body?: object | string | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly info?: RequestInfo;
}

/** An answer, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON body; tests look into it freely. */
  readonly json: unknown;
}

export interface TestServer {
  readonly auth: Auth;
  readonly call: (method: string, path: string, call?: Call) => Promise<Answer>;
  /** Makes a user with these roles and signs them in. */
  readonly aUser: (username: string, roles?: readonly string[]) => Promise<SignedIn>;
}

export interface SignedIn {
  readonly id: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly sessionId: string;
}

/** The real handler over a real engine on a database in memory. Every answer is compared with the route table. */
export async function openServer(config: Partial<AuthConfig> = {}, options: HandlerOptions = {}): Promise<TestServer> {
  const auth = await createAuth({
    issuer,
    store: sqlite(':memory:'),
    secretKey: 'a-secret-key-for-tests-only-0123456789-abcdef',
    ...config,
  });
  const handler = createHandler(auth, options);
  return {
    auth,
    call: async (method, path, { token, body, headers, info } = {}) => {
      const request = new Request(auth.issuer + path, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': contentTypeOf(body) }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: serialise(body) }),
      });
      const answer = await read(await handler(request, info));
      expectDocumented(method, path, answer);
      return answer;
    },
    aUser: async (username, roles = ['user']) => {
      const { id } = await auth.users.create({ username, password: goodPassword, roles });
      const { accessToken, refreshToken, sessionId } = await auth.tokens.issue(id);
      return { id, token: accessToken, refreshToken, sessionId };
    },
  };
}

function contentTypeOf(body: NonNullable<Call['body']>): string {
  return body instanceof URLSearchParams ? 'application/x-www-form-urlencoded' : 'application/json';
}

function serialise(body: NonNullable<Call['body']>): string {
  if (typeof body === 'string') return body;
  return body instanceof URLSearchParams ? body.toString() : JSON.stringify(body);
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json };
}

function findRoute(method: string, path: string): Route | undefined {
  const { pathname } = new URL(issuer + path);
  return routes.find((route) => {
    const pattern = new RegExp(`^${route.path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    return route.method === method && pattern.test(pathname);
  });
}

interface DocumentedOperation {
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

interface DocumentedResponse {
  readonly content?: Readonly<Record<string, { readonly examples?: object }>>;
}

/** Holds every answer of every test against what the table promises and the API document says. */
function expectDocumented(method: string, path: string, answer: Answer): void {
  const route = findRoute(method, path);
  if (route === undefined) return;
  const { success } = route.operation;
  if (answer.status < 400) {
    const promised = [success, ...(success.others ?? [])];
    expect(promised.map(({ status }) => status)).toContain(answer.status);
    if (answer.json !== undefined) promised.find(({ schema }) => schema !== undefined)?.schema?.parse(answer.json);
    else expect(promised.some(({ status, schema }) => status === answer.status && schema === undefined)).toBe(true);
    return;
  }
  if (answer.status === 500 || route.undocumented === true) return;
  const mediaType = answer.headers.get('content-type') ?? '';
  const { responses } = describeOperation(route) as DocumentedOperation;
  expect(responses).toHaveProperty(String(answer.status));
  expect(Object.keys(responses[answer.status]?.content ?? {})).toContain(mediaType);
  if (mediaType === 'application/json') {
    oauthError.parse(answer.json);
    return;
  }
  const { code } = problem.parse(answer.json);
  const isOfGuard = 'requires' in route && ['insufficient_scope', 'csrf_proof_missing'].includes(code);
  if (Object.hasOwn(errorTable, code) && !isOfGuard) {
    expect(Object.keys(responses[answer.status]?.content?.[mediaType]?.examples ?? {})).toContain(code);
  }
}
