import type { Guard } from '@sallyport/guard';
import { describe, expect, it } from 'vitest';
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
      const pings = acknowledgements(server);
      revoke(server);
      await until('the entry is acknowledged', () => isAcknowledged(server));
      expect(acknowledgements(server)).toBe(pings + 1);
    }
    await caughtUp(guard, server);
  });

  it('acknowledges by few pings what comes one after the other', async () => {
    const { server } = await following();
    const [pings, began] = [acknowledgements(server), performance.now()];
    for (let round = 0; round < 80; round += 1) {
      revoke(server);
      await pause(1);
    }
    await until('all of it is acknowledged', () => isAcknowledged(server));
    // One in a turn, the first at once.
    expect(acknowledgements(server) - pings).toBeLessThanOrEqual((performance.now() - began) / (turn - 1) + 3);
  });

  it('says again and again how current it is', async () => {
    const { server, guard } = await following({ feed: { maxStaleness: 1 } });
    const asked = (): number => server.pings.filter(({ echo }) => echo !== false).length;
    const before = asked();
    await until('it has asked five times', () => asked() >= before + 5);
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
  });
});

function acknowledgements(server: FeedServer): number {
  return server.pings.filter(({ echo }) => echo === false).length;
}

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

  it('are not used where a body comes through only when it is whole, after three tries', async () => {
    const { server, guard } = await aFollowing({ feed: { maxStaleness: 1 } }, (each) => (each.buffersBodies = true));
    await until('it has tried three times', () => server.count('POST /feed/pings') === 3);
    const pings = server.pings.length;
    await until('ten pings more', () => {
      revoke(server);
      return server.pings.length >= pings + 10;
    });
    expect(server.count('POST /feed/pings')).toBe(3);
    expect(server.pings.filter(({ way }) => way === 'sequence')).toEqual([]);
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
  });

  it('are not used where another process gets them', async () => {
    const { server, guard } = await aFollowing({ feed: { maxStaleness: 1 } }, (each) => {
      each.statuses = { '/feed/pings': 410 };
    });
    await until('it has tried three times', () => server.count('POST /feed/pings') === 3);
    await untilAcknowledging(server, 'alone');
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
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

  it('are not used any more where one request after the other breaks', async () => {
    const { server, guard } = await aFollowingWithSequence();
    const breaking = setInterval(() => server.breakSequences(), 1);
    try {
      await until('it has tried three times', () => server.count('POST /feed/pings') === 3);
      await pause(1_000);
    } finally {
      clearInterval(breaking);
    }
    await untilAcknowledging(server, 'alone');
    expect(server.count('POST /feed/pings')).toBe(3);
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
  });

  it('are sent in requests of their own again where nobody hears them any more', async () => {
    const { server, guard } = await aFollowingWithSequence({ feed: { maxStaleness: 1 } });
    server.isDeafToSequences = true;
    const alone = (): number => server.pings.filter(({ way }) => way === 'alone').length;
    const before = alone();
    revoke(server);
    await until('the entry is acknowledged', () => isAcknowledged(server));
    expect(alone()).toBeGreaterThan(before);
    await until('it is current', () => guard.status().ready);
    expect(server.count('GET /feed')).toBe(1);
  });

  it('end with their stream', async () => {
    const { server, guard } = await aFollowingWithSequence();
    await guard.close();
    await until('no request is open', () => server.sequences === 0);
    expect(server.left).toHaveLength(1);
  });
});

it('goes on in another request before servers lose patience, without a ping alone', async () => {
  const clock = { ahead: 0 };
  const { server, guard }: { server: FeedServer; guard: Guard } = await aFollowingWithSequence();
  const alone = server.pings.filter(({ way }) => way === 'alone').length;
  const monotonic = performance.now.bind(performance);
  performance.now = () => monotonic() + clock.ahead;
  try {
    clock.ahead = 16_000;
    revoke(server);
    await until('another request', () => server.count('POST /feed/pings') === 2);
    await until('the entry is acknowledged', () => isAcknowledged(server));
    await until('the first has ended', () => server.sequences === 1);
  } finally {
    performance.now = monotonic;
  }
  expect(server.pings.filter(({ way }) => way === 'alone')).toHaveLength(alone);
  expect(guard.status().connected).toBe(true);
});
