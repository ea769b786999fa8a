import { describe, expect, it } from 'vitest';
import { changeKinds } from '@sallyport/guard';
import { resolveFeedOptions } from '../../../src/replica/feed/feed-options.ts';
import { FeedReplica } from '../../../src/replica/feed/feed-replica.ts';
import type { FeedServer } from '../../feed-server.ts';
import { issuer, issuerKeys } from '../../tokens.ts';
import {
  aFeedServer,
  aFollower,
  aFollowing,
  aTokenOf,
  caughtUp,
  theEndOf,
  verdictNow,
  verdictOn,
} from '../../feed-fixture.ts';
import { until } from '../../until.ts';

describe('a guard that polls', () => {
  it('learns of changes as they come, without streams and pings', async () => {
    const { server, guard } = await aFollowing({ feed: { transport: 'poll' } });
    const token = aTokenOf(server, 'session-1');
    expect(verdictNow(guard, token)).toBe('granted');
    server.append(theEndOf('session-1'));
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
    expect(guard.status()).toMatchObject({ ready: true, connected: true, transport: 'poll' });
    expect([server.streams, server.pings]).toEqual([0, []]);
  });

  it.each([
    [30, '10'],
    [3, '1'],
    [2, '0'],
    [86_400, '25'],
    ['until-expiry', '10'],
  ] as const)('with a bound of %s waits for news for %s seconds at most', async (maxStaleness, poll) => {
    const { server, guard } = await aFollowing({ feed: { transport: 'poll', maxStaleness } });
    const polls = (): (string | null)[] =>
      server.requests.filter(({ what }) => what === 'GET /feed').map(({ query }) => query.get('poll'));
    await until('it waits for news', () => polls().length >= 2);
    expect(polls().slice(0, 2)).toEqual(['0', poll]);
    expect(guard.status().ready).toBe(true);
  });

  it('stays fresh while nothing happens, also within a second, and does not ask without pause', async () => {
    const { server, guard } = await aFollowing({ feed: { transport: 'poll', maxStaleness: 1 } });
    const token = aTokenOf(server, 'session-1');
    const polls = server.count('GET /feed');
    const started = performance.now();
    await until('it has polled six more times', () => server.count('GET /feed') >= polls + 6);
    expect(performance.now() - started).toBeGreaterThan(1000);
    expect(await verdictOn(guard, token)).toBe('granted');
  });

  it('acknowledges by its next poll', async () => {
    const { server } = await aFollowing({ feed: { transport: 'poll' } });
    server.append({ ...theEndOf('session-1'), flags: 3 });
    await until('the entry is acknowledged', () => [...server.acknowledged.values()].includes(server.cursor));
  });

  it('fetches everything anew when an answer lacks entries, in the middle or at the end', async () => {
    const { server, guard } = await aFollowing({ feed: { transport: 'poll' } });
    server.lost.add(server.head + 1);
    server.append(theEndOf('session-1'));
    await caughtUp(guard, server);
    expect(server.count('GET /feed/snapshot')).toBe(2);
    server.lost.add(server.head + 1);
    await until('it polls', () => server.count('GET /feed') > 2);
    server.append(theEndOf('session-2'));
    server.append(theEndOf('session-3'));
    await caughtUp(guard, server);
    expect(verdictNow(guard, aTokenOf(server, 'session-2', { af: 0 }))).toBe('token_revoked');
  });

  it('keeps what it knew when the log was restored', async () => {
    const { server, guard } = await aFollowing({ feed: { transport: 'poll' } });
    const token = aTokenOf(server, 'session-1');
    server.append(theEndOf('session-1'));
    await caughtUp(guard, server);
    server.restore(2);
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
  });

  it('is as old as the process says, and answers 503 when that is too old', async () => {
    const { server, guard } = await aFollowing({ feed: { transport: 'poll', maxStaleness: 2 } });
    server.age = 5000;
    await until('it stops', async () => (await verdictOn(guard, aTokenOf(server, 'session-1'))) !== 'granted');
    expect(guard.status().ready).toBe(false);
    server.age = 0;
    await until('it goes on', () => guard.status().ready);
  });

  it('goes on with another process', async () => {
    const servers = [await aFeedServer(), await aFeedServer()];
    const guard = aFollower(servers, { feed: { transport: 'poll' } });
    await guard.ready();
    const [gone, other] = servers.toSorted((one) => (one.url === guard.status().node ? -1 : 1));
    await gone?.stop();
    await until('it follows the other', () => guard.status().node === other?.url && guard.status().connected);
  });
});

/** A guard's replica for which time flies, eight times as fast. */
function aHastyReplica(server: FeedServer): FeedReplica {
  const options = {
    feed: resolveFeedOptions({ credential: server.credential, nodes: [server.url] }, issuer),
    issuer,
    keys: issuerKeys,
    algorithms: undefined,
    clockTolerance: 60,
    now: () => new Date(),
    onKeysDead: () => undefined,
    onLost: () => undefined,
  };
  const start = Date.now();
  const clocks = { monotonic: () => 8 * performance.now(), wall: () => start + 8 * (Date.now() - start) };
  return new FeedReplica(options, clocks).start();
}

describe('a guard that may choose', () => {
  it('polls where pings do not reach the process of the stream', async () => {
    const { server, guard } = await aFollowing();
    server.statuses = { '/feed/ping': 410, '/feed/pings': 410 };
    server.breakSequences();
    await until('it polls', () => guard.status().transport === 'poll');
    const token = aTokenOf(server, 'session-1');
    server.append(theEndOf('session-1'));
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
  });

  it('polls where something answers instead of a stream', async () => {
    const server = await aFeedServer();
    const guard = aFollower([server]);
    server.streamType = 'text/html';
    await guard.ready();
    expect(guard.status()).toMatchObject({ connected: true, transport: 'poll' });
  });

  it.each([
    ['a proxy holds streams back', (server: FeedServer) => (server.streamDelay = 60_000)],
    ['a stream begins well and does not go on', (server: FeedServer) => (server.isSilent = true)],
  ])('polls where %s', async (_, spoil) => {
    const server = await aFeedServer();
    spoil(server);
    const keepingAlive = setInterval(() => server.sayRaw(': alive\n\n'), 100);
    const replica = aHastyReplica(server);
    await until('it polls', () => replica.status().transport === 'poll');
    await until('it is ready', () => replica.status().ready);
    await replica.close();
    clearInterval(keepingAlive);
  });

  it('does not poll where it was told to stream', async () => {
    const { server, guard } = await aFollowing({ feed: { transport: 'stream', maxStaleness: 1 } });
    server.statuses = { '/feed/ping': 410, '/feed/pings': 410 };
    server.breakSequences();
    const streams = server.count('GET /feed');
    await until('it has tried again and again', () => server.count('GET /feed') >= streams + 3);
    expect(server.requests.some(({ query }) => query.has('poll'))).toBe(false);
    server.statuses = {};
    await until('it is ready', () => guard.status().ready);
  });
});

describe('keys that die', () => {
  it('are learnt of by polling as well', async () => {
    const { server, guard } = await aFollowing({ feed: { transport: 'poll' } });
    server.append({ kind: changeKinds.keyDead, key: 'issuer-1' });
    await caughtUp(guard, server);
    expect(verdictNow(guard, aTokenOf(server, 'session-1'))).toBe('token_invalid');
  });
});
