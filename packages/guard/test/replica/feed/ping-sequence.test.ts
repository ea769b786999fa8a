import { afterEach, describe, expect, it } from 'vitest';
import { aFollowing, caughtUp, type FollowingOptions } from '../../feed-fixture.ts';
import type { FeedServer } from '../../feed-server.ts';
import { until } from '../../until.ts';

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

let sessions = 0;

/** Appends an entry that somebody waits for. */
function revoke(server: FeedServer): void {
  sessions += 1;
  server.append({ kind: 1, key: `session-${sessions}`, expiresAt: 4_000_000_000, flags: 3 });
}

const isAcknowledged = (server: FeedServer): boolean => [...server.acknowledged.values()].includes(server.cursor);
const wayOfLast = (server: FeedServer): string | undefined => server.pings.at(-1)?.way;

/** Revokes until the last acknowledgement came in a certain way. */
async function untilAcknowledging(server: FeedServer, way: 'alone' | 'sequence'): Promise<void> {
  await until(`it acknowledges in the way ${way}`, async () => {
    revoke(server);
    await until('the entry is acknowledged', () => isAcknowledged(server));
    return wayOfLast(server) === way && server.pings.at(-1)?.echo === false;
  });
}

type Following = Awaited<ReturnType<typeof aFollowing>>;

async function aFollowingWithSequence(options: FollowingOptions = {}): Promise<Following> {
  const following = await aFollowing(options);
  await untilAcknowledging(following.server, 'sequence');
  return following;
}

const aFollowingWithout = (options: FollowingOptions = {}): Promise<Following> =>
  aFollowing(options, (server) => (server.statuses = { '/feed/pings': 404 }));

describe.each([
  { way: 'in a request each', following: aFollowingWithout, turn: 20 },
  { way: 'one after the other in one request', following: aFollowingWithSequence, turn: 5 },
])('a guard that sends pings $way', ({ following, turn }) => {
  it('acknowledges at once what somebody waits for', async () => {
    const { server, guard } = await following();
    for (let round = 0; round < 3; round += 1) {
      const pings = server.pings.length;
      revoke(server);
      await until('the entry is acknowledged', () => isAcknowledged(server));
      expect(server.pings.length).toBe(pings + 1);
    }
    await caughtUp(guard, server);
  });

  it('acknowledges by few pings what comes one after the other', async () => {
    const { server } = await following();
    const [pings, began] = [server.pings.length, performance.now()];
    for (let round = 0; round < 80; round += 1) {
      revoke(server);
      await pause(1);
    }
    await until('all of it is acknowledged', () => isAcknowledged(server));
    // One in a turn, the first at once.
    expect(server.pings.length - pings).toBeLessThanOrEqual((performance.now() - began) / (turn - 1) + 3);
  });

  it('says again and again how current it is', async () => {
    const { server, guard } = await following({ feed: { maxStaleness: 1 } });
    const asked = (): number => server.pings.filter(({ echo }) => echo !== false).length;
    const before = asked();
    await until('it has asked five times', () => asked() >= before + 5);
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
  });
});

describe('pings in a request each', () => {
  it('leave a server alone for a while that takes long to answer', async () => {
    const { server } = await aFollowingWithout();
    server.pingDelay = 60;
    const [pings, began] = [server.pings.length, performance.now()];
    for (let round = 0; round < 100; round += 1) {
      revoke(server);
      await pause(5);
    }
    // 60 milliseconds for each, and 100 of rest.
    expect(server.pings.length - pings).toBeLessThanOrEqual((performance.now() - began) / 160 + 2);
  });
});

describe('pings one after the other in one request', () => {
  it('need one request for many', async () => {
    const { server } = await aFollowingWithSequence();
    const alone = server.pings.filter(({ way }) => way === 'alone').length;
    for (let round = 0; round < 20; round += 1) {
      revoke(server);
      await until('the entry is acknowledged', () => isAcknowledged(server));
    }
    expect(server.count('POST /feed/pings')).toBe(1);
    expect(server.pings.filter(({ way }) => way === 'alone')).toHaveLength(alone);
  });

  it('leave a server alone for a while whose echoes take long', async () => {
    const { server } = await aFollowingWithSequence({ feed: { maxStaleness: 1 } });
    server.streamDelay = 80;
    // The last three echoes count.
    const echoes = server.pings.filter(({ echo }) => echo !== false).length;
    await until('five echoes more', () => server.pings.filter(({ echo }) => echo !== false).length >= echoes + 5);
    const [pings, began] = [server.pings.length, performance.now()];
    for (let round = 0; round < 100; round += 1) {
      revoke(server);
      await pause(5);
    }
    expect(server.pings.length - pings).toBeLessThanOrEqual((performance.now() - began) / 80 + 4);
  });

  it.each([
    ['a body comes through only when it is whole', (server: FeedServer) => (server.buffersBodies = true)],
    ['another process gets them', (server: FeedServer) => (server.statuses = { '/feed/pings': 410 })],
    ['a server knows nothing of them', (server: FeedServer) => (server.statuses = { '/feed/pings': 404 })],
    ['a server fails', (server: FeedServer) => (server.statuses = { '/feed/pings': 500 })],
  ])('are not used where %s, and tried less and less often', async (_, spoil) => {
    const { server, guard } = await aFollowing({}, spoil);
    const began = performance.now();
    while (performance.now() - began < 4_000) {
      revoke(server);
      await until('the entry is acknowledged', () => isAcknowledged(server));
      expect(wayOfLast(server)).toBe('alone');
    }
    // At once, after one second and after two more, when the next echo comes.
    expect(server.count('POST /feed/pings')).toBeLessThanOrEqual(3);
    expect(server.pings.filter(({ way }) => way === 'sequence')).toEqual([]);
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
    expect(server.count('GET /feed')).toBe(1);
  });

  it('are made up for at once by one in a request of its own where the request breaks', async () => {
    const { server, guard } = await aFollowingWithSequence();
    for (let round = 0; round < 2; round += 1) {
      server.breakSequences();
      revoke(server);
      await until('the entry is acknowledged', () => isAcknowledged(server));
      await untilAcknowledging(server, 'sequence');
    }
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
    expect(server.count('GET /feed')).toBe(1);
  });

  it('are tried less and less often where one request after the other breaks', async () => {
    const { server, guard } = await aFollowingWithSequence();
    const began = performance.now();
    const breaking = setInterval(() => server.breakSequences(), 1);
    try {
      await until('it has tried three times', () => server.count('POST /feed/pings') === 3);
      // A second, and two more.
      expect(performance.now() - began).toBeGreaterThan(2_900);
      await pause(1_000);
    } finally {
      clearInterval(breaking);
    }
    expect(server.count('POST /feed/pings')).toBe(3);
    await untilAcknowledging(server, 'alone');
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
  });

  it('are sent in requests of their own again where nobody hears them any more, before the guard is stale', async () => {
    const { server, guard } = await aFollowingWithSequence({ feed: { maxStaleness: 3 } });
    const alone = (): number => server.pings.filter(({ way }) => way === 'alone').length;
    const before = alone();
    server.isDeafToSequences = true;
    revoke(server);
    await until('the entry is acknowledged', () => {
      expect(guard.status().ready).toBe(true);
      return isAcknowledged(server);
    });
    expect(alone()).toBeGreaterThan(before);
    expect(server.count('GET /feed')).toBe(1);
  });

  it('end with their stream', async () => {
    const { server, guard } = await aFollowingWithSequence();
    await guard.close();
    await until('no request is open', () => server.sequences === 0);
    expect(server.left).toHaveLength(1);
  });
});

describe('a request that has lasted', () => {
  const monotonic = performance.now.bind(performance);
  afterEach(() => {
    performance.now = monotonic;
  });
  const letItLast = (): void => {
    performance.now = () => monotonic() + 16_000;
  };
  const alone = ({ pings }: FeedServer): number => pings.filter(({ way }) => way === 'alone').length;

  it('is followed by another one before servers lose patience, without a ping alone', async () => {
    const { server, guard } = await aFollowingWithSequence();
    const before = alone(server);
    letItLast();
    revoke(server);
    await until('another request', () => server.count('POST /feed/pings') === 2);
    await until('the entry is acknowledged', () => isAcknowledged(server));
    await until('the first has ended', () => server.sequences === 1);
    expect(alone(server)).toBe(before);
    expect(guard.status().connected).toBe(true);
  });

  it('is made up for at once by a ping alone where the next one leads elsewhere', async () => {
    const { server, guard } = await aFollowingWithSequence();
    const before = alone(server);
    server.statuses = { '/feed/pings': 410 };
    letItLast();
    revoke(server);
    await until('the entry is acknowledged', () => isAcknowledged(server));
    expect(alone(server)).toBe(before + 1);
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
  });
});
