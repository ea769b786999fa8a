import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Access, changeKinds, createGuard, type Guard, type ProblemDetails } from '@sallyport/guard';
import { remoteJwkSet } from '@sallyport/jwt';
import { ChangeLog } from './change-log.ts';
import { anAccessToken, audience, forgedTokens, foreignTokens, inSeconds, issuer, issuerKeys } from './tokens.ts';

/**
 * A running app that protects these routes with the guard and answers `GET` on each with `{ subject }`:
 * `/me` (any valid token), `/todos` (scope `todos:read`), `/admin` (role `admin`), `/greeting` (optional).
 * `POST /todos` asks for the scopes `todos:read` and `todos:write`. Every handler calls `handled` first.
 */
export interface App {
  readonly port: number;
  readonly close: () => Promise<void>;
}

export type StartApp = (guard: Guard, handled: (access: Access | undefined) => void) => Promise<App>;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Runs every guard rule against one framework. An adapter passes all of it or is not an adapter. */
export function describeGuard(framework: string, start: StartApp): void {
  describe(`${framework} guard`, () => {
    const log = new ChangeLog();
    for (const [role, scopes] of Object.entries({
      admin: ['*'],
      user: ['todos:read'],
      writer: ['todos:*'],
      none: [],
    })) {
      log.append({ kind: changeKinds.roleDefinition, key: role, data: { scopes } });
    }
    const guard = createGuard({ issuer, audience, keys: issuerKeys, realm: 'todos' });
    const liveGuard = createGuard({ issuer, audience, keys: issuerKeys, changes: log });
    const deafGuard = createGuard({ issuer, audience, keys: remoteJwkSet('http://127.0.0.1:1/jwks') });
    const brokenSource = { readSince: () => Promise.reject(new Error('secret detail')) };
    const cutOffGuard = createGuard({ issuer, audience, keys: issuerKeys, changes: brokenSource });
    const faultyGuard: Guard = {
      check: () => Promise.reject(new Error('secret detail')),
      resolve: (requirement) => guard.resolve(requirement),
      ready: () => Promise.resolve(),
      status: () => guard.status(),
      close: () => guard.close(),
    };

    const apps = new Map<Guard, App>();
    const handled: (Access | undefined)[] = [];

    beforeAll(async () => {
      for (const each of [guard, liveGuard, deafGuard, cutOffGuard, faultyGuard]) {
        apps.set(each, await start(each, (access) => handled.push(access)));
      }
    });
    afterAll(async () => {
      for (const app of apps.values()) await app.close();
    });

    const portOf = (asked: Guard): number => apps.get(asked)?.port ?? 0;

    async function send(
      path: string,
      headers: Record<string, string> = {},
      asked = guard,
      method = 'GET',
    ): Promise<Answer> {
      const response = await fetch(`http://127.0.0.1:${portOf(asked)}${path}`, { method, headers });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
    }
    const sendToken = (path: string, token: string, asked = guard, method = 'GET') =>
      send(path, { authorization: `Bearer ${token}` }, asked, method);

    /** Sends a request as it is written, with nothing put right on the way. */
    function sendRaw(target: string, lines: readonly string[] = [], method = 'GET'): Promise<string> {
      const head = [`${method} ${target} HTTP/1.1`, 'Host: 127.0.0.1', ...lines, 'Connection: close', '', ''];
      return new Promise((resolve, reject) => {
        let answer = '';
        const socket = connect(portOf(guard), '127.0.0.1', () => socket.end(head.join('\r\n'), 'latin1'));
        socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
        socket.on('close', () => resolve(answer)).on('error', reject);
      });
    }
    const statusOf = (rawAnswer: string): number => Number(rawAnswer.split(' ')[1]);

    const problem = (answer: Answer): Partial<ProblemDetails> => answer.body as Partial<ProblemDetails>;

    /** Whatever `act` sends, no handler may run. */
    async function withoutHandler<Result>(act: () => Promise<Result>): Promise<Result> {
      const before = handled.length;
      const result = await act();
      expect(handled.length).toBe(before);
      return result;
    }

    it('hands the verified access to the handler', async () => {
      const answer = await sendToken('/me', anAccessToken({ sub: 'user-7' }));
      expect([answer.status, answer.body]).toEqual([200, { subject: 'user-7' }]);
      expect(handled.at(-1)).toMatchObject({ subject: 'user-7', roles: new Set(['user']) });
    });

    it('B1 asks for credentials with a bare challenge', async () => {
      const answer = await withoutHandler(() => send('/me'));
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="todos"');
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body).toEqual({
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: 'Not authenticated',
        code: 'not_authenticated',
      });
    });

    it.each(['Basic YTpi', 'Digest username="Bearer a"', 'Bearerx', ''])(
      'B1 takes %j for no credentials',
      async (line) => {
        const answer = await withoutHandler(() => send('/me', { authorization: line }));
        expect([answer.status, problem(answer).code]).toEqual([401, 'not_authenticated']);
      },
    );

    it.each(['Bearer', 'Bearer a b', 'Bearer  a', 'bearer\ta'])('B2 answers 400 to %j', async (line) => {
      const answer = await withoutHandler(() => send('/me', { authorization: line }));
      expect([answer.status, problem(answer).code]).toEqual([400, 'invalid_request']);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_request"');
    });

    it('B2 B5 answers 400 to two Authorization headers, whichever comes first', async () => {
      const good = `Authorization: Bearer ${anAccessToken()}`;
      for (const lines of [
        [good, good],
        ['Authorization: Basic YTpi', good],
        [good, 'authorization: Bearer x'],
      ]) {
        expect(statusOf(await withoutHandler(() => sendRaw('/me', lines)))).toBe(400);
      }
    });

    it('B2 answers 400 to a token by header and query', async () => {
      const token = anAccessToken();
      expect((await withoutHandler(() => sendToken(`/me?access_token=${token}`, token))).status).toBe(400);
    });

    it('B3 tells expired from invalid, and nothing more', async () => {
      const expired = await withoutHandler(() => sendToken('/me', anAccessToken({ exp: inSeconds(-1) })));
      expect([expired.status, problem(expired).detail]).toEqual([401, 'Token has expired']);
      expect(expired.headers.get('www-authenticate')).toContain('error="invalid_token"');
      const invalid = await withoutHandler(() => sendToken('/me', 'garbage'));
      expect([invalid.status, problem(invalid).detail]).toEqual([401, 'Could not validate credentials']);
    });

    it('B3 answers 403 insufficient_scope, and names the scopes', async () => {
      const answer = await withoutHandler(() => sendToken('/todos', anAccessToken(), guard, 'POST'));
      expect([answer.status, problem(answer).code]).toEqual([403, 'insufficient_scope']);
      const challenge = answer.headers.get('www-authenticate');
      expect(challenge).toContain('error="insufficient_scope"');
      expect(challenge).toContain('scope="todos:read todos:write"');
      const writer = await sendToken('/todos', anAccessToken({ scope: 'todos:*' }), guard, 'POST');
      expect(writer.status).toBe(200);
    });

    it('B3 answers 403 for a missing role', async () => {
      const answer = await withoutHandler(() => sendToken('/admin', anAccessToken({ scope: '*' })));
      expect([answer.status, problem(answer).code]).toEqual([403, 'insufficient_role']);
      expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
      expect((await sendToken('/admin', anAccessToken({ roles: ['admin'] }))).status).toBe(200);
    });

    it('B4 does not read a token from the query or the body', async () => {
      const token = anAccessToken({ scope: 'todos:*' });
      expect((await withoutHandler(() => send(`/me?access_token=${token}`))).status).toBe(401);
      const form = { method: 'POST', body: new URLSearchParams({ access_token: token }) };
      const answer = await withoutHandler(() => fetch(`http://127.0.0.1:${portOf(guard)}/todos`, form));
      expect(answer.status).toBe(401);
    });

    it.each(['bearer', 'BEARER', 'bEaReR'])('B5 accepts the scheme as %s', async (scheme) => {
      expect((await send('/me', { authorization: `${scheme} ${anAccessToken()}` })).status).toBe(200);
    });

    it.each([...Object.keys(forgedTokens()), ...Object.keys(foreignTokens())])('refuses: %s', async (name) => {
      const token = { ...forgedTokens(), ...foreignTokens() }[name] ?? '';
      const answer = await withoutHandler(() => sendToken('/me', token));
      expect(answer.status).toBe(401);
      expect(problem(answer).detail).toBe('Could not validate credentials');
      // B6: the same challenge whatever the token holds.
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer realm="todos", error="invalid_token", error_description="Could not validate credentials"',
      );
    });

    it('B6 B9 never breaks on garbage in the header', async () => {
      const garbage = [
        'Bearer %',
        'Bearer %ff%00',
        'Bearer \u00ff\u00fe',
        'Bearer ":,;\\',
        '%%%',
        'Bearer\u00a0x',
        ',',
      ];
      for (const line of garbage) {
        const status = statusOf(await withoutHandler(() => sendRaw('/me', [`Authorization: ${line}`])));
        expect([400, 401]).toContain(status);
      }
      for (const line of ['Bearer a\u0000b', 'Bearer a\rb', `Bearer ${'a'.repeat(64_000)}`]) {
        const status = statusOf(await withoutHandler(() => sendRaw('/me', [`Authorization: ${line}`])));
        expect([400, 401, 431]).toContain(status);
      }
    });

    const spellings = [
      '//admin',
      '/admin;x',
      '/%61dmin',
      '/ADMIN',
      '/admin/',
      '/admin%2f',
      '/./admin',
      '/me/../admin',
      '/admin?',
      '/admin#',
      '/admin%00',
      '/\\admin',
    ];
    it.each([...spellings, 'http://127.0.0.1/admin', 'http://user@127.0.0.1//admin'])(
      'B7 cannot be passed by writing the path as %s',
      async (target) => {
        const user = `Authorization: Bearer ${anAccessToken()}`;
        for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
          for (const lines of [[], [user], [user, 'X-HTTP-Method-Override: OPTIONS']]) {
            await withoutHandler(() => sendRaw(target, lines, method));
          }
        }
        const answer = await sendRaw(target, [user]);
        expect([301, 400, 403, 404]).toContain(statusOf(answer));
      },
    );

    it('B7 guards HEAD like GET', async () => {
      expect((await withoutHandler(() => send('/admin', {}, guard, 'HEAD'))).status).toBe(401);
    });

    it('B8 grants nothing for headers of proxies and frameworks', async () => {
      const headers = {
        'x-middleware-subrequest': 'middleware:middleware:middleware',
        'x-original-url': '/greeting',
        'x-rewrite-url': '/greeting',
        'x-forwarded-uri': '/greeting',
        'x-forwarded-user': 'admin',
        'x-user-id': 'admin',
        'x-authorization': `Bearer ${anAccessToken({ roles: ['admin'] })}`,
        'proxy-authorization': `Bearer ${anAccessToken({ roles: ['admin'] })}`,
        cookie: `access_token=${anAccessToken({ roles: ['admin'] })}`,
      };
      expect((await withoutHandler(() => send('/admin', headers))).status).toBe(401);
    });

    it('B9 answers 503 while the keys cannot be fetched', async () => {
      const answer = await withoutHandler(() => sendToken('/me', anAccessToken(), deafGuard));
      expect([answer.status, problem(answer).code]).toEqual([503, 'temporarily_unavailable']);
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(answer.headers.get('www-authenticate')).toBeNull();
    });

    it('B9 answers 503 while the changes cannot be read', async () => {
      const answer = await withoutHandler(() => sendToken('/me', anAccessToken(), cutOffGuard));
      expect([answer.status, problem(answer).code]).toEqual([503, 'temporarily_unavailable']);
      expect(JSON.stringify(answer.body)).not.toContain('secret detail');
    });

    it('B9 answers 500 when the guard itself breaks, and never passes', async () => {
      const url = `http://127.0.0.1:${portOf(faultyGuard)}/me`;
      const answer = await withoutHandler(() =>
        fetch(url, { headers: { authorization: `Bearer ${anAccessToken()}` } }),
      );
      expect(answer.status).toBe(500);
    });

    it('B10 keeps 50 parallel callers apart', async () => {
      const subjects = Array.from({ length: 50 }, (_, index) => `caller-${index}`);
      for (const asked of [guard, liveGuard]) {
        const answers = await Promise.all(
          subjects.map((sub) => sendToken('/me', anAccessToken({ sub, sid: sub, af: log.head }), asked)),
        );
        expect(answers.map(({ body }) => body)).toEqual(subjects.map((subject) => ({ subject })));
      }
    });

    it.each(['adminx', 'admin-read', 'admin,user', 'ADMIN'])(
      'B12 does not take the role %s for admin',
      async (role) => {
        expect((await withoutHandler(() => sendToken('/admin', anAccessToken({ roles: [role] })))).status).toBe(403);
      },
    );

    it('J32 grants nothing for __proto__ and constructor', async () => {
      const claims: unknown = JSON.parse('{"__proto__":{"roles":["admin"]},"constructor":{"roles":["admin"]}}');
      const token = anAccessToken(Object.fromEntries(Object.entries(claims ?? {})));
      expect((await withoutHandler(() => sendToken('/admin', token))).status).toBe(403);
    });

    it('lets anybody into an optional route, but nobody with a bad token', async () => {
      expect((await send('/greeting')).body).toEqual({});
      expect(handled.at(-1)).toBeUndefined();
      expect((await sendToken('/greeting', anAccessToken())).body).toEqual({ subject: 'user-1' });
      expect((await withoutHandler(() => sendToken('/greeting', 'garbage'))).status).toBe(401);
    });

    it('S8 S9 follows revocations and role changes from the next request on', async () => {
      const token = anAccessToken({ sub: 'live-user', sid: 'live-session', roles: ['admin'], af: log.head });
      expect((await sendToken('/admin', token, liveGuard)).status).toBe(200);
      log.append({ kind: changeKinds.userOverride, key: 'live-user', data: { roles: ['user'] } });
      expect((await withoutHandler(() => sendToken('/admin', token, liveGuard))).status).toBe(403);
      expect((await sendToken('/todos', token, liveGuard)).status).toBe(200);
      log.append({ kind: changeKinds.sessionDead, key: 'live-session' });
      const answer = await withoutHandler(() => sendToken('/todos', token, liveGuard));
      expect([answer.status, problem(answer).detail]).toEqual([401, 'Token has been revoked']);
    });
  });
}
