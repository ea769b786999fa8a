import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { json as readJson } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { createHandler, expressHandler, type RequestRecord } from 'sallyport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServer, type TestServer } from './http-server.ts';

let test: TestServer;
let plain: Server;
let mounted: Server;
const records: RequestRecord[] = [];
const failures: unknown[] = [];

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  const isBuilt = existsSync(new URL('../dist/docs/page.html', import.meta.url));
  if (!isBuilt)
    execFileSync(process.execPath, [fileURLToPath(new URL('../../../scripts/copy-docs-assets.js', import.meta.url))]);
  test = await openServer();
  const handler = createHandler(test.auth, {
    onRequest: (record) => records.push(record),
    onError: (error) => failures.push(error),
  });
  plain = createServer(expressHandler(handler)).listen(0, '127.0.0.1');
  const app = express().set('trust proxy', 'loopback');
  app.use('/auth', expressHandler(handler));
  app.use('/parsed', express.json(), expressHandler(handler));
  app.get('/', (_, response) => void response.send('the app'));
  mounted = app.listen(0, '127.0.0.1');
  await Promise.all([once(plain, 'listening'), once(mounted, 'listening')]);
});
afterAll(async () => {
  for (const server of [plain, mounted]) server.close().closeAllConnections();
  await test.auth.close();
});

/** Sends bytes as they are and returns everything that comes back. */
async function sendRaw(server: Server, lines: readonly string[]): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.end(`${lines.join('\r\n')}\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('on node:http', () => {
  it('takes a client from registration to its account', async () => {
    const fields = { username: 'alice', password: 'violet-Kestrel-41-harbour' };
    const registered = await fetch(`${urlOf(plain)}/register`, { method: 'POST', body: new URLSearchParams(fields) });
    expect(registered.status).toBe(201);
    const signedIn = await fetch(`${urlOf(plain)}/token`, { method: 'POST', body: new URLSearchParams(fields) });
    const { access_token: token } = (await signedIn.json()) as { access_token: string };
    const me = await fetch(`${urlOf(plain)}/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(await me.json()).toMatchObject({ username: 'alice' });
  });

  it('gives the socket’s address to the session and the log', async () => {
    records.length = 0;
    await fetch(`${urlOf(plain)}/livez`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(records[0]?.address).toBe('127.0.0.1');
  });

  it('B5 refuses two Authorization headers', async () => {
    const { token } = await test.aUser('twice');
    const line = `Authorization: Bearer ${token}`;
    const answer = await sendRaw(plain, ['GET /me HTTP/1.1', 'Host: x', line, line, 'Connection: close']);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each([
    ['an absolute target', ['GET http://evil.example/me HTTP/1.1', 'Host: x']],
    ['a path that climbs', ['GET /livez/../me HTTP/1.1', 'Host: x']],
    ['a doubled slash', ['GET //me HTTP/1.1', 'Host: x']],
    ['no usable host', ['GET /me HTTP/1.1', 'Host: a b/c?d']],
    ['TRACE', ['TRACE /me HTTP/1.1', 'Host: x']],
    ['a target that is no URL', ['GET /me?%zz%00 HTTP/1.1', 'Host: x']],
  ])('B7 answers %s with a refusal, never with 200 or 500', async (_, lines) => {
    const answer = await sendRaw(plain, [...lines, 'Connection: close']);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  describe('S20 a client that breaks its body is no failure of the server', () => {
    const head = ['POST /register HTTP/1.1', 'Host: x', 'Content-Type: application/json'];

    it.each([
      ['hangs up in the middle', [...head, 'Content-Length: 100', '', '{"username":'], 'reset'],
      ['ends the connection in the middle', [...head, 'Content-Length: 100', '', '{"username":'], 'end'],
      ['hangs up in a chunk', [...head, 'Transfer-Encoding: chunked', '', 'ff', '{"username":'], 'reset'],
      ['sends a bad chunk', [...head, 'Transfer-Encoding: chunked', '', '2', '{}', 'zz', 'x'], 'end'],
    ])('when it %s', async (_, lines, ending) => {
      records.length = 0;
      failures.length = 0;
      const socket = connect((plain.address() as AddressInfo).port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      const arrived = once(plain, 'request');
      socket.write(lines.join('\r\n'));
      await arrived;
      if (ending === 'reset') socket.resetAndDestroy();
      else socket.end();
      await expect.poll(() => records.length).toBe(1);
      expect(records[0]).toMatchObject({ method: 'POST', path: '/register', status: 400 });
      expect(failures).toEqual([]);
    });
  });

  it.each([
    ['a backslash in the path', ['GET /\\me?token=sesame HTTP/1.1', 'Host: x'], 'GET', '/\\me'],
    ['an asterisk', ['OPTIONS * HTTP/1.1', 'Host: x'], 'OPTIONS', '*'],
    ['an absolute target that is no URL', ['GET http://%zz/me HTTP/1.1', 'Host: x'], 'GET', 'http://%zz/me'],
    ['a Host that is none', ['TRACE /me HTTP/1.1', 'Host: a b/c?d'], 'TRACE', '/me'],
  ])('answers %s with a problem, a request id and a line in the log', async (_, lines, method, path) => {
    records.length = 0;
    const answer = await sendRaw(plain, [...lines, 'X-Request-Id: trace-9', 'Connection: close']);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im);
    expect(answer).toMatch(/^x-request-id: trace-9\r$/im);
    expect(answer).toMatch(/^x-content-type-options: nosniff\r$/im);
    expect(answer).toContain('"code":"target_malformed"');
    expect(records).toMatchObject([{ method, path, status: 400, requestId: 'trace-9', address: '127.0.0.1' }]);
  });

  it('serves HTTP/1.0 without Host', async () => {
    expect(await sendRaw(plain, ['GET /livez HTTP/1.0'])).toMatch(/^HTTP\/1\.1 200 [^]*\{"status":"ok"\}$/);
  });

  it('P12 answers 413 and closes the connection when the body is too large to be read', async () => {
    const { port } = plain.address() as AddressInfo;
    const body = Buffer.alloc(1_000_000, 'x');
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const request = httpRequest({ port, host: '127.0.0.1', path: '/register', method: 'POST', headers });
    request.on('error', () => undefined).end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect([response.statusCode, response.headers.connection]).toEqual([413, 'close']);
    expect(await readJson(response)).toMatchObject({ code: 'body_too_large' });
  });

  it('P12 answers 413 to an endless chunked body', async () => {
    const { port } = plain.address() as AddressInfo;
    const headers = { 'content-type': 'application/json' };
    const request = httpRequest({ port, host: '127.0.0.1', path: '/register', method: 'POST', headers });
    request.on('error', () => undefined);
    const block = Buffer.alloc(16_384, 'x');
    for (let sent = 0; sent < 20; sent += 1) request.write(block);
    const [response] = (await once(request, 'response')) as [{ statusCode: number }];
    expect(response.statusCode).toBe(413);
    request.destroy();
  });
});

describe('below a base path in Express', () => {
  it('answers there, and leaves the rest to the app', async () => {
    expect(await (await fetch(`${urlOf(mounted)}/auth/livez`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(urlOf(mounted))).text()).toBe('the app');
  });

  it.each(['/auth', '/auth/', '/auth/docs/'])('leads %s to the documentation', async (path) => {
    const response = await fetch(urlOf(mounted) + path);
    expect([response.status, response.url]).toEqual([200, `${urlOf(mounted)}/auth/docs`]);
  });

  it('leads / to the documentation without Express, too', async () => {
    expect((await fetch(urlOf(plain))).url).toBe(`${urlOf(plain)}/docs`);
  });

  it('believes Express about the client’s address, and logs the whole path', async () => {
    records.length = 0;
    await fetch(`${urlOf(mounted)}/auth/livez`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(records[0]).toMatchObject({ address: '203.0.113.7', path: '/auth/livez' });
  });

  it('says what is wrong when a body parser has eaten the body', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${urlOf(mounted)}/parsed/token`, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('before body parsers');
  });
});

describe('GET /docs', () => {
  it('S21 is framed by nobody and runs only its own scripts', async () => {
    const { headers } = await fetch(`${urlOf(plain)}/docs`);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    );
  });

  it.each(['', '/auth'])('links only to files that are there, relative to the page (below %j)', async (base) => {
    const page = `${urlOf(base === '' ? plain : mounted)}${base}/docs`;
    const html = await (await fetch(page)).text();
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) {
      expect(link).not.toMatch(/^(?:[a-z]+:|\/)/);
      const response = await fetch(new URL(link, page));
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/charset=utf-8|image\/png|application\/json/);
    }
  });

  it('serves no file besides its own', async () => {
    for (const path of ['/docs/package.json', '/docs/..%2f..%2fpackage.json', '/docs/constructor', '/docs/LICENSE']) {
      expect((await fetch(urlOf(plain) + path)).status).toBe(404);
    }
  });
});
