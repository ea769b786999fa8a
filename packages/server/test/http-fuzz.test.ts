import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseForm } from '../src/form.ts';
import { routes } from '../src/routes.ts';
import { openServer, type SignedIn, type TestServer } from './http-server.ts';

let server: TestServer;
let admin: SignedIn;
const failures: unknown[] = [];

beforeAll(async () => {
  server = await openServer({}, { onError: (error) => failures.push(error) });
  admin = await server.aUser('root', ['admin']);
});
afterAll(() => server.auth.close());

const header = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCodePoint(code)) });
const fieldNames = [
  'username',
  'password',
  'email',
  'roles',
  'scope',
  'scopes',
  'token',
  'grant_type',
  'refresh_token',
];
const json = fc.dictionary(fc.constantFrom(...fieldNames), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
// Changing a password ends the administrator's session, and ending sessions does too: the rest would only see 401.
const suicidal = ['/me/password', '/me/sessions', '/me/sessions/{id}', '/token/revoke'];
const targets = routes.filter(({ path }) => !suicidal.includes(path));

describe('S20 no request makes the server fail', () => {
  it('answers any path, query, header and body below 500, without a stack trace', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        fc.string({ unit: 'grapheme' }),
        fc.webQueryParameters(),
        fc.oneof(
          json.map((value) => JSON.stringify(value)),
          fc.string(),
        ),
        header,
        async ({ method, path }, part, query, body, userAgent) => {
          const target = path.replace(/\{\w+\}/, encodeURIComponent(part) || 'x');
          const answer = await server.call(method, `${target}?${query}`, {
            token: admin.token,
            headers: { 'user-agent': userAgent },
            ...(method === 'GET' ? {} : { body }),
          });
          expect(failures).toEqual([]);
          expect(answer.status).toBeLessThan(500);
          expect(answer.text).not.toMatch(/\.[jt]s:\d+|node_modules|SQLITE/);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('S20 no cookie makes the server fail, or lets anybody in', () => {
  const name = fc.constantFrom('access_token', 'refresh_token', 'csrf_token', '__Host-access_token', '');
  const lookalike = fc.uint8Array({ minLength: 31, maxLength: 31 }).map((bytes) => {
    bytes[0] = 1;
    return Buffer.from(bytes).toString('base64url');
  });
  const cookies = fc.array(fc.tuple(name, fc.oneof(header, lookalike)), { maxLength: 4 });

  it('answers any of them below 500, without an account and without a token', async () => {
    const calls = fc.constantFrom(
      ['GET', '/me'],
      ['POST', '/login'],
      ['POST', '/logout'],
      ['POST', '/token/refresh'],
      ['DELETE', '/me/sessions'],
    );
    const sites = fc.option(fc.oneof(header, fc.constant('same-origin')), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(calls, cookies, sites, header, async ([method = '', path = ''], pairs, site, csrfToken) => {
        const cookie = pairs.map(([key, value]) => `${key}=${value}`).join('; ');
        const provenance: Record<string, string> = site === undefined ? {} : { 'sec-fetch-site': site };
        const answer = await server.call(method, path, {
          headers: { cookie, 'x-csrf-token': csrfToken, ...provenance },
          ...(path === '/login' ? { body: { username: 'root', password: 'wrong' } } : {}),
        });
        expect(failures).toEqual([]);
        expect([204, 400, 401, 403]).toContain(answer.status);
        for (const line of answer.headers.getSetCookie()) expect(line).toMatch(/^\w+=; Max-Age=0; /);
      }),
      { numRuns: 200 },
    );
  });
});

describe('parseForm', () => {
  it('reads what URLSearchParams writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), (fields) => {
        expect(parseForm(new URLSearchParams(fields).toString(), 'body_malformed')).toEqual({ ...fields });
      }),
    );
  });
});
