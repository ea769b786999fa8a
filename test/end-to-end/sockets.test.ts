import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuard, type Guard } from '@sallyport/guard';
import { websocketGuard } from '@sallyport/guard/websocket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { post, signIn, signUp } from '../http-client.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

// A chat in this process, whose guard follows the feed of a server in another.
let server: ServerProcess;
let guard: Guard;
let url: string;
const http = createServer();

beforeAll(async () => {
  server = await startServer();
  const { credential } = (await server.sallyportJson(['feed-credentials', 'create', 'chat'])) as { credential: string };
  guard = createGuard({ issuer: server.url, audience: server.url, feed: { credential } });
  await guard.ready();
  const protect = websocketGuard(guard);
  const listener = protect(new WebSocketServer({ noServer: true }), { role: 'user' }, (socket, { access, renew }) => {
    socket.send(access.subject);
    socket.on(
      'message',
      (data: Buffer) => void renew(data.toString()).then((refusal) => socket.send(refusal?.body.code ?? 'renewed')),
    );
  });
  http.on('upgrade', listener);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  await guard?.close();
  http.close();
  http.closeAllConnections();
  await server?.remove();
});

/** Somebody who has signed in and opened a connection. */
async function connect(username: string) {
  const tokens = await signUp(server.url, username);
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)]);
  await once(socket, 'message');
  return { tokens, socket, closed };
}

describe('a WebSocket of an app in another process', () => {
  it('is closed when its user signs out', async () => {
    const { tokens, closed } = await connect('ada');
    await post(`${server.url}/token/revoke`, { token: tokens.refresh_token });
    expect(await closed).toEqual([4401, 'token_revoked']);
  });

  it('is closed when the user is disabled, or loses the role', async () => {
    const bob = await connect('bob');
    const eve = await connect('eve');
    await server.sallyport(['users', 'disable', 'bob']);
    await server.sallyport(['users', 'set-roles', 'eve', 'admin']);
    expect(await bob.closed).toEqual([4401, 'token_revoked']);
    expect(await eve.closed).toEqual([4403, 'insufficient_role']);
  });

  it('goes on with a token of another sign-in, whatever becomes of the first', async () => {
    const { tokens, socket, closed } = await connect('kim');
    const other = await signIn(server.url, 'kim');
    const answered = once(socket, 'message');
    socket.send(other.access_token);
    expect(String((await answered)[0])).toBe('renewed');
    await post(`${server.url}/token/revoke`, { token: tokens.refresh_token });
    await post(`${server.url}/token/revoke`, { token: other.refresh_token });
    expect(await closed).toEqual([4401, 'token_revoked']);
  });
});
