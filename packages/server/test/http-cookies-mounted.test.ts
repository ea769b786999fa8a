import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type Auth, createAuth } from '@sallyport/auth';
import { sqlite } from '@sallyport/auth/sqlite';
import { createGuard, createSessionCookies, nodeRequest } from '@sallyport/guard';
import express from 'express';
import { createHandler, expressHandler } from 'sallyport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CookieJar } from './cookie-jar.ts';
import { credentials, ownPage } from './test-browser.ts';

let auth: Auth;
let server: Server;
let origin: string;
const created: unknown[] = [];

/** An application with a route of its own, and the authorization server mounted below `/auth`. */
beforeAll(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const secretKey = 'a-secret-key-for-tests-only-0123456789-abcdef';
  auth = await createAuth({ issuer: `${origin}/auth`, store: sqlite(':memory:'), secretKey });
  await auth.users.create(credentials);
  const guard = createGuard({
    issuer: auth.issuer,
    audience: auth.audience,
    keys: auth.keys.source,
    changes: auth.changes,
    credentials: [createSessionCookies({ origin }).source],
  });
  const app = express();
  app.use('/auth', expressHandler(createHandler(auth)));
  app.all('/admin', async (request, response) => {
    const verdict = await guard.check(nodeRequest(request, { target: request.originalUrl }), { role: 'user' });
    if (!verdict.granted) return response.status(verdict.refusal.status).json(verdict.refusal.body);
    created.push(request.method);
    return response.json({ subject: verdict.access?.subject });
  });
  server.on('request', app);
});
afterAll(async () => {
  server.close().closeAllConnections();
  await auth.close();
});

const jar = new CookieJar();
async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(origin + path, { ...init, headers: { cookie: jar.line, ...ownPage, ...init.headers } });
  jar.take(response.headers);
  return response;
}

/** Sends a request line and headers as they are; answers the status line. */
async function sendRaw(lines: readonly string[]): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.end(`${[...lines, 'Host: 127.0.0.1', 'Connection: close'].join('\r\n')}\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString().split('\r\n', 1).join('');
}

describe('the server mounted below a path of another application', () => {
  it('S11 sets cookies for the whole host, one line each', async () => {
    const response = await call('/auth/login', { method: 'POST', body: new URLSearchParams(credentials) });
    expect(response.status).toBe(200);
    const lines = response.headers.getSetCookie();
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toContain('; Path=/; ');
  });

  it('lets the application’s own guard read them, until the session ends', async () => {
    expect((await call('/admin')).status).toBe(200);
    expect((await call('/auth/me')).status).toBe(200);
    expect((await call('/auth/token/refresh', { method: 'POST' })).status).toBe(200);
    const captured = jar.line;
    expect((await call('/auth/logout', { method: 'POST' })).status).toBe(204);
    expect((await call('/admin', { headers: { cookie: captured } })).status).toBe(401);
    await call('/auth/login', { method: 'POST', body: new URLSearchParams(credentials) });
  });

  it.each([
    ['HEAD', '/admin'],
    ['POST', '//admin'],
    ['POST', '/admin/'],
    ['POST', '/admin;x'],
    ['POST', '/%61dmin'],
    ['POST', '/ADMIN'],
    ['POST', '/x/../admin'],
    ['post', '/admin'],
    ['QUERY', '/admin'],
    ['POST', 'http://127.0.0.1/admin'],
  ])('B7 changes nothing by %s %s when another site asks with the cookie', async (method, target) => {
    created.length = 0;
    const headers = [`Cookie: ${jar.line}`, 'Sec-Fetch-Site: cross-site', 'Content-Length: 0'];
    const status = await sendRaw([`${method} ${target} HTTP/1.1`, ...headers]);
    expect(status).toMatch(method === 'HEAD' ? / 200 / : / 4\d\d /);
    expect(created.filter((each) => each !== 'HEAD')).toEqual([]);
  });

  it('reads cookies that come in several lines, and believes neither of two', async () => {
    const send = (lines: readonly string[]): Promise<string> =>
      sendRaw(['GET /auth/me HTTP/1.1', ...lines.map((line) => `Cookie: ${line}`)]);
    expect(await send(['theme=dark', jar.line])).toContain(' 200 ');
    expect(await send([jar.line, 'access_token=planted'])).toContain(' 400 ');
  });
});
