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

describe('parseForm', () => {
  it('reads what URLSearchParams writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), (fields) => {
        expect(parseForm(new URLSearchParams(fields).toString(), 'body_malformed')).toEqual({ ...fields });
      }),
    );
  });
});
