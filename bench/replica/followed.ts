import { setTimeout as pause } from 'node:timers/promises';
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
  // Nobody follows from before, and garbage collections need not look through a million of them.
  server.entries = [];
  return server;
}

interface Following {
  readonly replica: FeedReplica;
  /** How long it took to be ready, in milliseconds. */
  readonly milliseconds: number;
  /** The same in processor time of the whole process, its garbage collector and the server included. */
  readonly cpuMilliseconds: number;
}

/** A guard's replica that follows a server. */
export async function follow(server: FeedServer): Promise<Following> {
  const feed = resolveFeedOptions({ credential: server.credential, nodes: [server.url], maxStaleness: 3600 }, issuer);
  const others = {
    algorithms: undefined,
    clockTolerance: 60,
    now: systemTime,
    onKeysDead: () => undefined,
    onLost: () => undefined,
  };
  const replica = new FeedReplica({ feed, issuer, keys: issuerKeys, ...others });
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  replica.start();
  while (!replica.status().ready) await pause(1);
  const { user, system } = process.cpuUsage(cpuBegun);
  return { replica, milliseconds: performance.now() - begun, cpuMilliseconds: (user + system) / 1000 };
}
