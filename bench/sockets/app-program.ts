// A resource server in a process of its own, whose clients stay: over WebSockets and over event streams.
import { createServer } from 'node:http';
import { createGuard } from '@sallyport/guard';
import { guardEventStream } from '@sallyport/guard/event-stream';
import { nodeGuard } from '@sallyport/guard/node';
import { websocketGuard } from '@sallyport/guard/websocket';
import { remoteJwkSet } from '@sallyport/jwt';
import { WebSocketServer } from 'ws';
import type { AppOrders } from './app-process.ts';

const { issuer, node, credential, port } = JSON.parse(process.env['ORDERS'] ?? '{}') as AppOrders;
const keys = remoteJwkSet(`${node}/.well-known/jwks.json`);
const guard = createGuard({ issuer, audience: issuer, keys, feed: { credential, nodes: [node] } });
const chat = websocketGuard(guard)(new WebSocketServer({ noServer: true }), {}, (socket) => {
  socket.send('welcome');
});
const events = nodeGuard(guard)({}, (request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('data: welcome\n\n');
  guardEventStream(guard, response, request.auth);
});

await guard.ready();
createServer(events)
  .on('upgrade', chat)
  .listen(port, '127.0.0.1', () => {
    process.send?.('ready');
  });
process.on('disconnect', () => process.exit());
