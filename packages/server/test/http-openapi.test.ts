import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../src/routes.ts';
import { ownScopes } from '../src/scopes.ts';
import { openServer, type TestServer } from './http-server.ts';

interface OperationObject {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly requestBody?: { readonly content: Readonly<Record<string, object>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: {
    readonly schemas: object;
    readonly securitySchemes: { readonly oauth2: { readonly flows: { readonly password: Record<string, unknown> } } };
  };
}

let server: TestServer;
let text: string;
let document: Document;

beforeAll(async () => {
  server = await openServer();
  const answer = await server.call('GET', '/openapi.json');
  text = answer.text;
  document = answer.json as Document;
});
afterAll(() => server.auth.close());

const run = promisify(execFile);

describe('GET /openapi.json', () => {
  it('lints without errors under Redocly’s recommended rules', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'openapi-'));
    const file = join(folder, 'openapi.json');
    await writeFile(file, text);
    const redocly = join(dirname(createRequire(import.meta.url).resolve('@redocly/cli/package.json')), 'bin/cli.js');
    const env = { ...process.env, REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', REDOCLY_TELEMETRY: 'off' };
    const { stdout } = await run(process.execPath, [redocly, 'lint', '--format=json', file], { cwd: folder, env });
    await rm(folder, { recursive: true });
    const report = JSON.parse(stdout) as { totals: { errors: number }; problems: { ruleId: string }[] };
    expect(report.totals.errors).toBe(0);
    // Health and discovery have nothing to refuse, so that they document no 4xx response.
    expect(report.problems.filter(({ ruleId }) => ruleId !== 'operation-4xx-response')).toEqual([]);
  });

  it('describes every route of the table, and only those', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const expected = routes
      .filter((route) => route.undocumented !== true)
      .map(({ method, path }) => `${method} ${path}`);
    expect(described.toSorted()).toEqual(expected.toSorted());
  });

  it('gives every operation an id of its own', () => {
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('states the scopes each route needs, under every security scheme', () => {
    expect(document.paths['/users']?.['post']?.security).toEqual([
      { oauth2: ['users:write'] },
      { bearer: ['users:write'] },
      { sessionCookie: ['users:write'] },
    ]);
    expect(document.paths['/me']?.['get']?.security).toEqual([{ oauth2: [] }, { bearer: [] }, { sessionCookie: [] }]);
    expect(document.paths['/logout']?.['post']?.security).toEqual([{}, { sessionCookie: [] }, { refreshCookie: [] }]);
    expect(document.paths['/token']?.['post']?.security).toEqual([]);
  });

  it('signs in at /token, by addresses that hold below any base path', () => {
    const { tokenUrl, refreshUrl, scopes } = document.components.securitySchemes.oauth2.flows.password;
    expect([tokenUrl, refreshUrl, document.servers[0]?.url]).toEqual(['token', 'token/refresh', '.']);
    expect(Object.keys(scopes as object)).toEqual([...Object.keys(ownScopes), '*']);
  });

  it('offers forms where the contract says so, the form first where OAuth says so', () => {
    const mediaTypes = (path: string, method = 'post'): readonly string[] =>
      Object.keys(document.paths[path]?.[method]?.requestBody?.content ?? {});
    expect(mediaTypes('/token')).toEqual(['application/x-www-form-urlencoded', 'application/json']);
    expect(mediaTypes('/register')).toEqual(['application/json', 'application/x-www-form-urlencoded']);
    expect(mediaTypes('/me', 'patch')).toEqual(['application/json']);
  });

  it('refers only to schemas it has', () => {
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference ?? '');
    const names = references.map((reference) => reference.replace('#/components/schemas/', ''));
    expect(names.length).toBeGreaterThan(20);
    for (const name of new Set(names)) expect(document.components.schemas).toHaveProperty(name);
  });

  it('shows an example for each error of an operation', () => {
    const conflict = document.paths['/register']?.['post']?.responses['409']?.content?.['application/problem+json'];
    expect(conflict).toMatchObject({
      examples: { username_taken: { value: { status: 409, code: 'username_taken' } }, email_taken: {} },
    });
    const refused = document.paths['/token']?.['post']?.responses['401']?.content?.['application/json'];
    expect(refused).toMatchObject({ examples: { credentials_invalid: { value: { error: 'invalid_grant' } } } });
  });

  it('documents a scope of this server for every guarded route', () => {
    const required = routes.flatMap((route) =>
      !('requires' in route) || route.requires === 'signed-in' ? [] : route.requires.scope,
    );
    expect([...new Set(required)].toSorted()).toEqual(Object.keys(ownScopes).toSorted());
  });
});
