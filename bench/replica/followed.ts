import { systemTime } from '../../packages/guard/dist/replica/feed/clocks.js';
import { resolveFeedOptions } from '../../packages/guard/dist/replica/feed/feed-options.js';
import { FeedReplica } from '../../packages/guard/dist/replica/feed/feed-replica.js';
import type { WireEntry } from '../../packages/guard/test/feed-server.ts';
import { FeedServer } from '../../packages/guard/test/feed-server.ts';
import { issuer, issuerKeys } from '../../packages/guard/test/tokens.ts';
import { roleChanges, someChanges } from './entries.ts';

/** A server whose log holds so many entries, with its snapshot made. */
export async function aLog(count: number): Promise<FeedServer> {
  const server = await new FeedServer().start();
  for (const { sequence, kind, key, expiresAt = 0, data } of [...someChanges(count), ...roleChanges(count + 1)]) {
    server.entries.push(
      data === undefined
        ? [sequence, kind, key, expiresAt, 1]
        : ([sequence, kind, key, expiresAt, 1, data] satisfies WireEntry),
    );
  }
  server.head = server.entries.length;
  const snapshot = server.snapshot();
  server.snapshot = () => snapshot;
  return server;
}

/** A guard's replica that follows a server, and how long it took to be ready, in milliseconds. */
export async function follow(server: FeedServer): Promise<{ replica: FeedReplica; milliseconds: number }> {
  const feed = resolveFeedOptions({ credential: server.credential, nodes: [server.url], maxStaleness: 3600 }, issuer);
  const others = { algorithms: undefined, clockTolerance: 60, now: systemTime, onKeysDead: () => undefined };
  const replica = new FeedReplica({ feed, issuer, keys: issuerKeys, ...others });
  const begun = performance.now();
  replica.start();
  while (!replica.status().ready) await new Promise(setImmediate);
  return { replica, milliseconds: performance.now() - begun };
}
