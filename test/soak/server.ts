// A server whose clock jumps an hour ahead every now and then, and which tells its parent about itself. Arguments:
// DATABASE_URL, milliseconds between two jumps.
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAuth } from '@sallyport/auth';
import { postgres } from '@sallyport/auth/postgres';
import { sqlite } from '@sallyport/auth/sqlite';
import { createHandler, expressHandler } from 'sallyport';

const [url = '', between = ''] = process.argv.slice(2);
const hour = 3_600_000;
const begun = Date.now();
const auth = await createAuth({
  issuer: 'http://127.0.0.1',
  store: url.startsWith('file:') ? sqlite(url.slice('file:'.length)) : postgres(url),
  secretKey: 'soak-only-9tKv3mQx8Rk2zWn7pLc5yHd9sBf4gTa6uEe1iOo0w',
  clock: () => new Date(Date.now() + hour * Math.floor((Date.now() - begun) / Number(between))),
  signingKeys: { rotateAfter: 86_400 },
  // Long enough to be used before it is over, by this clock.
  accessToken: { lifetime: 6 * 3600 },
});
// Everybody introspects.
await auth.roles.set('user', ['tokens:introspect']);
// About as often as it would by itself in a run of half an hour.
setInterval(() => void auth.upkeep(), 4 * Number(between));

const server = createServer(expressHandler(createHandler(auth, { onError: (error) => console.error(error) })));
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', () => {
  globalThis.gc?.();
  const { rss, heapUsed: heap } = process.memoryUsage();
  const files = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
  process.send?.({ rss, heap, files, handles: process.getActiveResourcesInfo().length });
});
process.on('disconnect', () => {
  server.closeAllConnections();
  server.close();
  void auth.close().then(() => process.exit());
});
