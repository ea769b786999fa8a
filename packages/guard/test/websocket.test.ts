import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type AnyTerms, type CallersOnly, createGuard, type Guard, type GuardOptions } from '@sallyport/guard';
import { createTestIssuer, type TestIssuer } from '@sallyport/guard/testing';
import { type UpgradeListener, websocketGuard } from '@sallyport/guard/websocket';
import { WebSocket, WebSocketServer } from 'ws';
import type { Answer, App, SendOptions, StartApp } from './contract/contract-app.ts';
import { describeGuard } from './guard-contract.ts';
import { listenWith } from './listening.ts';
import { until } from './until.ts';

/** Opens a connection and reads its first message; a refused handshake is an HTTP answer. */
function ask(url: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      resolve({ status: 200, headers: new Headers(), body: JSON.parse(data.toString()) as Answer['body'] });
      socket.terminate();
    });
    socket.on('unexpected-response', (_, response: IncomingMessage) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const body = response.headers['content-type'] === undefined ? {} : (JSON.parse(text) as Answer['body']);
        const received = new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
        resolve({ status: response.statusCode ?? 0, headers: received, body });
      });
    });
  });
}

/** Routes to listeners by path. */
async function serve(listenerFor: (path: string) => UpgradeListener | undefined): Promise<App> {
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    const [path = ''] = (request.url ?? '').split('?');
    const listener = listenerFor(path);
    if (listener === undefined) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    else listener(request, socket, head);
  });
  const { port, close } = await listenWith(server);
  const send = (path: string, headers: Record<string, string>, { method }: SendOptions): Promise<Answer> =>
    ask(`ws://127.0.0.1:${port}${method === 'POST' ? '/post' : ''}${path}`, headers);
  const lines = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  return { port, close, send, lines: [...lines, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='] };
}

const start: StartApp = (guard, handled) => {
  const protect = websocketGuard(guard);
  const sockets = new WebSocketServer({ noServer: true });
  const route = (requirement: CallersOnly<AnyTerms, IncomingMessage>): UpgradeListener =>
    protect(sockets, requirement, (socket, { access }) => {
      handled(access);
      socket.send(JSON.stringify({ subject: access.subject }));
    });
  const routes: Readonly<Record<string, UpgradeListener>> = {
    '/me': route({}),
    '/todos': route({ scope: 'todos:read' }),
    '/post/todos': route({ scope: ['todos:read', 'todos:write'] }),
    '/admin': route({ role: 'admin' }),
    '/fresh': route({ maxAge: 300 }),
  };
  const own = route({ policy: ({ subject }, { url }) => url === `/own/${subject}` });
  return serve((path) => (path.startsWith('/own/') ? own : routes[path]));
};

describeGuard('websocket', start, { upgrades: true });

describe('a connection', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  /** A server that echoes, renews when it is sent `token …`, and breaks or demands when it is told to. */
  async function anEcho(guard: Guard, requirement: CallersOnly<AnyTerms, IncomingMessage> = {}) {
    const heard: string[] = [];
    const protect = websocketGuard(guard);
    const listener = protect(new WebSocketServer({ noServer: true }), requirement, async (socket, connection) => {
      const { url } = connection.request;
      if (url === '/broken') throw new Error('secret detail');
      if (url === '/demanding') connection.access.demand({ role: 'admin' });
      socket.on('message', (data: Buffer) => {
        const text = data.toString();
        heard.push(text);
        if (text.startsWith('token ')) {
          void connection
            .renew(text.slice('token '.length))
            .then((refusal) => socket.send(refusal?.body.code ?? 'renewed'));
        } else socket.send(`${connection.access.subject}: ${text}`);
      });
    });
    const { port, close } = await serve(() => listener);
    ends.push(close);
    return { url: `ws://127.0.0.1:${port}/`, heard };
  }

  /** A client that is connected, and what it is told at the end. */
  async function aClient(url: string, headers: Record<string, string>) {
    const socket = new WebSocket(url, { headers });
    const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)]);
    await once(socket, 'open');
    const say = async (text: string): Promise<string> => {
      const answered = once(socket, 'message');
      socket.send(text);
      const [data] = (await answered) as [Buffer];
      return data.toString();
    };
    return { socket, say, closed };
  }

  it('knows who called', async () => {
    const issuer = await createTestIssuer();
    const { url } = await anEcho(createGuard(issuer.guardOptions));
    const { socket, say } = await aClient(url, issuer.headersFor({ subject: 'ada' }));
    expect(await say('hello')).toBe('ada: hello');
    socket.terminate();
  });

  it.each<[string, (issuer: TestIssuer) => void, number, string]>([
    ['4401 when its token expires', (issuer) => issuer.clock.forward(900), 4401, 'token_expired'],
    ['4401 when its session is revoked', (issuer) => issuer.endSession('laptop'), 4401, 'token_revoked'],
    ['4403 when its right is lost', (issuer) => issuer.setRoles('ada', ['guest']), 4403, 'insufficient_role'],
    ['1013 when nothing can be known', (issuer) => issuer.goDown(), 1013, 'temporarily_unavailable'],
  ])('is closed with %s', async (_, happen, code, reason) => {
    const issuer = await createTestIssuer();
    const { url } = await anEcho(createGuard(issuer.guardOptions), { role: 'editor' });
    const wishes = { subject: 'ada', roles: ['editor'], sessionId: 'laptop' };
    const { say, closed } = await aClient(url, issuer.headersFor(wishes));
    expect(await say('still here')).toBe('ada: still here');
    happen(issuer);
    expect(await closed).toEqual([code, reason]);
  });

  it('stays open with a new token, sent in time', async () => {
    const issuer = await createTestIssuer();
    const { url } = await anEcho(createGuard(issuer.guardOptions));
    const { say, closed } = await aClient(url, issuer.headersFor({ subject: 'ada' }));
    issuer.clock.forward(600);
    expect(await say(`token ${issuer.tokenFor({ subject: 'eve' })}`)).toBe('token_invalid');
    expect(await say(`token ${issuer.tokenFor({ subject: 'ada' })}`)).toBe('renewed');
    issuer.clock.forward(600);
    expect(await say('hello')).toBe('ada: hello');
    issuer.clock.forward(600);
    expect(await closed).toEqual([4401, 'token_expired']);
  });

  it('hears nothing more of a client that will not go', async () => {
    const issuer = await createTestIssuer();
    const { url, heard } = await anEcho(createGuard(issuer.guardOptions));
    const { socket, say, closed } = await aClient(url, issuer.headersFor({ sessionId: 'laptop' }));
    await say('before');
    // A client of its own making, that goes on talking and never answers a close.
    const raw = Reflect.get(socket, '_socket') as Duplex;
    raw.removeAllListeners('data');
    issuer.endSession('laptop');
    let sent = 0;
    await until('the server has had enough', () => {
      if (!raw.destroyed) socket.send(`after ${(sent += 1)}`);
      return raw.destroyed;
    });
    await closed;
    // It took a second to lose patience, and all that was said in the meantime fell on deaf ears.
    expect(sent - heard.length).toBeGreaterThan(10);
  });

  it('is closed as the handler demands, and as broken when the handler breaks', async () => {
    const issuer = await createTestIssuer();
    const { url } = await anEcho(createGuard(issuer.guardOptions));
    const endOf = async (path: string): Promise<unknown> => {
      const socket = new WebSocket(`${url}${path}`, { headers: issuer.headersFor() });
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      return [code, String(reason)];
    };
    expect(await endOf('demanding')).toEqual([4403, 'insufficient_role']);
    const warned = once(process, 'warning');
    expect(await endOf('broken')).toEqual([1011, '']);
    expect(await warned).toMatchObject([{ message: 'secret detail' }]);
  });

  it('S12 is not opened by a page of another site, whose browser sends the cookie along', async () => {
    const issuer = await createTestIssuer();
    const credentials: GuardOptions['credentials'] = [{ in: 'cookie', trustedOrigins: ['https://app.example.test'] }];
    const { url } = await anEcho(createGuard({ ...issuer.guardOptions, credentials }));
    const cookie = `__Host-access_token=${issuer.tokenFor()}`;
    const statusFrom = async (origin: string): Promise<number> => {
      const { status } = await ask(url, { cookie, origin });
      return status;
    };
    expect(await statusFrom('https://evil.test')).toBe(403);
    expect(await statusFrom('null')).toBe(403);
    const { socket } = await aClient(url, { cookie, origin: 'https://app.example.test' });
    socket.terminate();
  });

  it('is no concern of the guard after the client has gone', async () => {
    const issuer = await createTestIssuer();
    const { url } = await anEcho(createGuard(issuer.guardOptions));
    const { socket, closed } = await aClient(url, issuer.headersFor({ sessionId: 'laptop' }));
    socket.close(1000, 'bye');
    expect(await closed).toEqual([1000, 'bye']);
    issuer.endSession('laptop');
  });
});
