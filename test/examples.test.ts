import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createAuth } from '@sallyport/auth';
import { sqlite } from '@sallyport/auth/sqlite';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, type RunningProgram, startProgram, untilAnswers } from './child-process.ts';
import { forgedTokens } from './forged-tokens.ts';
import { get, password, post, signIn, signUp } from './http-client.ts';
import { type ServerProcess, startServer, temporaryFolder } from './server-process.ts';
import { root } from './source-files.ts';

/** One app, written with each framework. */
const examples = ['todos-express', 'todos-fastify', 'todos-hono', 'todos-koa', 'todos-nestjs'];

let server: ServerProcess;
let prepared: Prepared;
let chief: string;
beforeAll(async () => {
  const folder = temporaryFolder();
  const PORT = String(await freePort());
  const SECRET_KEY = randomBytes(48).toString('base64url');
  prepared = await prepare(folder, `http://127.0.0.1:${PORT}`, SECRET_KEY);
  server = await startServer({ PORT, SECRET_KEY }, folder);
  chief = (await signIn(server.url, 'chief')).access_token;
});
afterAll(() => server.remove());

interface Prepared {
  readonly expired: string;
  /** By the name of the example. */
  readonly feedCredentials: ReadonlyMap<string, string>;
}

/** Opens the server's database an hour ago, so that what it signs has expired by now. */
async function prepare(folder: string, issuer: string, secretKey: string): Promise<Prepared> {
  const store = sqlite(join(folder, 'data/sallyport.db'));
  const anHourAgo = new Date(Date.now() - 3_600_000);
  const auth = await createAuth({ issuer, store, secretKey, clock: () => anHourAgo });
  await auth.roles.set('user', ['todos:read', 'todos:write']);
  await auth.roles.set('visitor', ['todos:read']);
  const { id } = await auth.users.create({ username: 'ada', password });
  await auth.users.create({ username: 'chief', password, roles: ['admin'] });
  await auth.users.create({ username: 'guest', password, roles: ['visitor'] });
  const { accessToken } = await auth.tokens.issue(id);
  const feedCredentials = new Map<string, string>();
  for (const name of examples) feedCredentials.set(name, (await auth.feed.credentials.create(name)).credential);
  await auth.close();
  return { expired: accessToken, feedCredentials };
}

/** What an administrator does over HTTP. */
async function administer(method: string, path: string, body?: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${chief}`, 'content-type': 'application/json' };
  const response = await fetch(`${server.url}${path}`, { method, headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

async function idOf(username: string): Promise<string> {
  const { id } = (await get(`${server.url}/me`, (await signIn(server.url, username)).access_token)).body;
  return String(id);
}

describe.each(examples)('%s, a process that trusts an issuer URL', (name) => {
  let app: RunningProgram;
  let url: string;
  beforeAll(async () => {
    const port = String(await freePort());
    const env = { PORT: port, ISSUER: server.url };
    url = `http://127.0.0.1:${port}`;
    app = startProgram(['--import', 'tsx', 'src/main.ts'], { cwd: join(root, 'examples', name), env });
    await untilAnswers(`${url}/`, app);
  });
  afterAll(() => app.stop());

  const tokenOf = async (username: string): Promise<string> => (await signIn(server.url, username)).access_token;

  it('says in one line what it does', () => {
    expect(app.output()).toBe(`Todos on ${url}, trusting ${server.url}\n`);
  });

  it('answers GET / to anyone', async () => {
    expect((await get(`${url}/`)).status).toBe(200);
  });

  it('answers GET /todos by role', async () => {
    expect(await get(`${url}/todos`, await tokenOf('chief'))).toMatchObject({ status: 200, body: ['Manage Todos'] });
    expect(await get(`${url}/todos`, await tokenOf('ada'))).toMatchObject({
      status: 200,
      body: ['Buy milk', 'Write tests'],
    });
    expect(await get(`${url}/todos`, await tokenOf('guest'))).toMatchObject({
      status: 403,
      body: { code: 'insufficient_role' },
    });
  });

  it('answers GET /secure-data to any valid token', async () => {
    for (const username of ['chief', 'ada', 'guest']) {
      expect((await get(`${url}/secure-data`, await tokenOf(username))).status).toBe(200);
    }
  });

  it('keeps what POST /todos adds for its user alone', async () => {
    const token = await tokenOf('chief');
    const add = (title: string, by: string) => post(`${url}/todos`, { title }, { style: 'json', token: by });
    const adas = await tokenOf('ada');
    expect(await add('Sleep', adas)).toMatchObject({ status: 201, body: { title: 'Sleep' } });
    expect((await get(`${url}/todos`, adas)).body).toEqual(['Buy milk', 'Write tests', 'Sleep']);
    expect((await add('', adas)).status).toBe(422);
    expect((await add('Rule', token)).status).toBe(201);
    expect(await add('Peek', await tokenOf('guest'))).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope' },
    });
  });

  it('answers GET /admin to administrators alone', async () => {
    expect((await get(`${url}/admin`, await tokenOf('chief'))).status).toBe(200);
    expect((await get(`${url}/admin`, await tokenOf('ada'))).status).toBe(403);
  });

  it('B1 challenges a request without a token', async () => {
    const answer = await get(`${url}/secure-data`);
    expect(answer).toMatchObject({ status: 401, body: { detail: 'Not authenticated' } });
    expect(answer.headers.get('www-authenticate')).toBe(`Bearer realm="${server.url}"`);
  });

  it('B3 refuses an expired token and says so', async () => {
    expect(await get(`${url}/secure-data`, prepared.expired)).toMatchObject({
      status: 401,
      body: { detail: 'Token has expired', code: 'token_expired' },
    });
  });

  it('B3 refuses forged tokens', async () => {
    const { body } = await get(`${server.url}/.well-known/jwks.json`);
    const [published] = body['keys'] as readonly JWK[];
    const forged = forgedTokens(await tokenOf('ada'), published ?? {});
    for (const [attack, token] of Object.entries(forged)) {
      const answer = await get(`${url}/secure-data`, token);
      expect({ attack, status: answer.status }).toEqual({ attack, status: 401 });
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  it('ends cleanly when asked to', async () => {
    expect(await app.stop()).toBe(0);
  });
});

describe.each(examples)('%s with a feed credential', (name) => {
  let app: RunningProgram;
  let url: string;
  beforeAll(async () => {
    const port = String(await freePort());
    const env = { PORT: port, ISSUER: server.url, FEED_CREDENTIAL: prepared.feedCredentials.get(name) ?? '' };
    url = `http://127.0.0.1:${port}`;
    app = startProgram(['--import', 'tsx', 'src/main.ts'], { cwd: join(root, 'examples', name), env });
    await untilAnswers(`${url}/`, app);
  });
  afterAll(() => app.stop());

  async function untilAnswered(path: string, token: string, status: number): Promise<void> {
    await expect.poll(async () => (await get(`${url}${path}`, token)).status, { timeout: 20_000 }).toBe(status);
  }

  it('S8 refuses a token as soon as its session was revoked by command line', async () => {
    const { access_token } = await signIn(server.url, 'ada');
    expect((await get(`${url}/secure-data`, access_token)).status).toBe(200);
    const { confirmation } = (await server.sallyportJson(['sessions', 'revoke', '--user', 'ada', '--confirm'])) as {
      confirmation: unknown;
    };
    expect(confirmation).toMatchObject({ acknowledged: 1, lapsed: 0, pending: 0 });
    expect(await get(`${url}/secure-data`, access_token)).toMatchObject({
      status: 401,
      body: { code: 'token_revoked', detail: 'Token has been revoked' },
    });
    expect((await get(`${url}/secure-data`, (await signIn(server.url, 'ada')).access_token)).status).toBe(200);
  });

  it('S9 follows roles up and down, and what they grant, without another token', async () => {
    const { access_token } = await signIn(server.url, 'guest');
    const guest = await idOf('guest');
    expect((await get(`${url}/admin`, access_token)).status).toBe(403);
    await administer('PUT', `/users/${guest}/roles`, { roles: ['admin'] });
    await untilAnswered('/admin', access_token, 200);
    await administer('PUT', `/users/${guest}/roles`, { roles: ['visitor'] });
    await untilAnswered('/admin', access_token, 403);
    const add = () => post(`${url}/todos`, { title: 'Rest' }, { style: 'json', token: access_token });
    expect((await add()).status).toBe(403);
    await administer('PUT', '/roles/visitor', { scopes: ['todos:read', 'todos:write'] });
    await expect.poll(async () => (await add()).status, { timeout: 20_000 }).toBe(201);
    await administer('PUT', '/roles/visitor', { scopes: ['todos:read'] });
    await expect.poll(async () => (await add()).status, { timeout: 20_000 }).toBe(403);
  });

  it('S9 shuts a disabled user out', async () => {
    const leaver = `leaver-of-${name}`;
    const { access_token } = await signUp(server.url, leaver);
    expect((await get(`${url}/secure-data`, access_token)).status).toBe(200);
    await administer('POST', `/users/${await idOf(leaver)}/disable`);
    await untilAnswered('/secure-data', access_token, 401);
  });

  it('ends cleanly when asked to, and nobody waits for it then', async () => {
    expect(await app.stop()).toBe(0);
    const revoked = await administer('DELETE', `/users/${await idOf('ada')}/sessions?confirm=true`);
    expect(revoked).toMatchObject({ confirmation: { acknowledged: 0, lapsed: 0, pending: 0 } });
  });
});
