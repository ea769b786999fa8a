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

let server: ServerProcess;
let expired: string;
beforeAll(async () => {
  const folder = temporaryFolder();
  const PORT = String(await freePort());
  const SECRET_KEY = randomBytes(48).toString('base64url');
  expired = await anExpiredToken(folder, `http://127.0.0.1:${PORT}`, SECRET_KEY);
  server = await startServer({ PORT, SECRET_KEY }, folder);
  await signUp(server.url, 'ada');
  await signUp(server.url, 'chief');
  await signUp(server.url, 'guest');
  await server.sallyportJson(['roles', 'set', 'user', 'todos:read', 'todos:write']);
  await server.sallyportJson(['roles', 'set', 'visitor', 'todos:read']);
  await server.sallyportJson(['users', 'set-roles', 'chief', 'admin']);
  await server.sallyportJson(['users', 'set-roles', 'guest', 'visitor']);
});
afterAll(() => server.remove());

/** Opens the server's database an hour ago, so that what it signs has expired by now. */
async function anExpiredToken(folder: string, issuer: string, secretKey: string): Promise<string> {
  const store = sqlite(join(folder, 'data/sallyport.db'));
  const anHourAgo = new Date(Date.now() - 3_600_000);
  const auth = await createAuth({ issuer, store, secretKey, clock: () => anHourAgo });
  const user = await auth.users.create({ username: 'early', password });
  const { accessToken } = await auth.tokens.issue(user.id);
  await auth.close();
  return accessToken;
}

/** One app, written with each framework. */
const examples = ['todos-express', 'todos-fastify', 'todos-hono', 'todos-koa', 'todos-nestjs'];

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
    expect(await get(`${url}/secure-data`, expired)).toMatchObject({
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
    const { credential } = (await server.sallyportJson(['feed-credentials', 'create', name])) as { credential: string };
    const port = String(await freePort());
    const env = { PORT: port, ISSUER: server.url, FEED_CREDENTIAL: credential };
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
    expect((await get(`${url}/admin`, access_token)).status).toBe(403);
    await server.sallyportJson(['users', 'set-roles', 'guest', 'admin']);
    await untilAnswered('/admin', access_token, 200);
    await server.sallyportJson(['users', 'set-roles', 'guest', 'visitor']);
    await untilAnswered('/admin', access_token, 403);
    const add = () => post(`${url}/todos`, { title: 'Rest' }, { style: 'json', token: access_token });
    expect((await add()).status).toBe(403);
    await server.sallyportJson(['roles', 'set', 'visitor', 'todos:read', 'todos:write']);
    await expect.poll(async () => (await add()).status, { timeout: 20_000 }).toBe(201);
    await server.sallyportJson(['roles', 'set', 'visitor', 'todos:read']);
    await expect.poll(async () => (await add()).status, { timeout: 20_000 }).toBe(403);
  });

  it('S9 shuts a disabled user out', async () => {
    await signUp(server.url, `leaver-of-${name}`);
    const { access_token } = await signIn(server.url, `leaver-of-${name}`);
    expect((await get(`${url}/secure-data`, access_token)).status).toBe(200);
    await server.sallyportJson(['users', 'disable', `leaver-of-${name}`]);
    await untilAnswered('/secure-data', access_token, 401);
  });

  it('ends cleanly when asked to, and nobody waits for it then', async () => {
    expect(await app.stop()).toBe(0);
    const { confirmation } = (await server.sallyportJson(['sessions', 'revoke', '--user', 'chief', '--confirm'])) as {
      confirmation: unknown;
    };
    expect(confirmation).toMatchObject({ acknowledged: 0, lapsed: 0, pending: 0 });
  });
});
