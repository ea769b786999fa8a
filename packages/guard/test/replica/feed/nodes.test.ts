import { describe, expect, it } from 'vitest';
import type { Guard } from '@sallyport/guard';
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
import type { FeedServer } from '../../feed-server.ts';
import { until } from '../../until.ts';

/** Two processes of one issuer, and a guard that may follow either: first one, then the other. */
async function aPair(options: Parameters<typeof aFollower>[1] = {}) {
  const servers = [await aFeedServer(), await aFeedServer()];
  const guard = aFollower(servers, options);
  await guard.ready();
  const [followed, other] = servers.toSorted((one) => (one.url === guard.status().node ? -1 : 1));
  if (followed === undefined || other === undefined) throw new Error('there are two');
  const append = (entry: Parameters<FeedServer['append']>[0]): void =>
    servers.forEach((server) => server.append(entry));
  return { guard, followed, other, append };
}

const follows = (guard: Guard, { url }: FeedServer): boolean => {
  const { node, connected, ready } = guard.status();
  return node === url && connected && ready;
};

const failures: readonly (readonly [what: string, fail: (server: FeedServer) => unknown])[] = [
  ['is killed', (server: FeedServer) => server.stop()],
  ['stops in order', (server: FeedServer) => server.say('bye', { retry: 5 })],
  ['ends its streams', (server: FeedServer) => server.endStreams()],
  ['says nothing any more', (server: FeedServer) => (server.isFrozen = true)],
  [
    'loses its database',
    (server: FeedServer) => {
      server.statuses = { '/feed': 503, '/feed/ping': 503, '/feed/snapshot': 503 };
      server.cut();
    },
  ],
  ['sends what is no event', (server: FeedServer) => server.sayRaw('event: c\ndata: {\n\n')],
  ['sends what is no entry', (server: FeedServer) => server.say('c', [3, 'x'])],
  [
    'refuses the credential',
    (server: FeedServer) => {
      server.statuses = { '/feed': 401, '/feed/ping': 401 };
      server.cut();
    },
  ],
];

describe('a guard with several nodes', () => {
  it.each(failures)('goes on with the next when one %s, from where it was', async (_, fail) => {
    const { guard, followed, other, append } = await aPair();
    const token = aTokenOf(followed, 'session-1');
    append(theEndOf('session-2'));
    await caughtUp(guard, followed);
    await fail(followed);
    expect(verdictNow(guard, token)).toBe('granted');
    await until('it follows the other', () => follows(guard, other));
    other.append(theEndOf('session-1'));
    await caughtUp(guard, other);
    expect(verdictNow(guard, token)).toBe('token_revoked');
    expect(other.count('GET /feed/snapshot')).toBe(0);
  });

  it('comes back when the next is gone as well', async () => {
    const { guard, followed, other } = await aPair();
    await followed.stop();
    await until('it follows the other', () => follows(guard, other));
    await other.stop();
    await until('it follows nobody', () => !guard.status().connected);
    expect(guard.status().problem).toContain('http://127.0.0.1');
    await followed.start();
    await until('it follows the first', () => follows(guard, followed));
    await until('nothing is wrong any more', () => !('problem' in guard.status()));
  });

  it('waits as long as a process that stops asks it to', async () => {
    const { server, guard } = await aFollowing();
    await until('it follows', () => guard.status().connected);
    const opened = server.count('GET /feed');
    const started = performance.now();
    server.say('bye', { retry: 700 });
    await until('it comes back', () => server.count('GET /feed') > opened && guard.status().connected);
    expect(performance.now() - started).toBeGreaterThan(650);
  });
});

describe('a guard whose only node', () => {
  it('fails does not ask it without pause', async () => {
    const { server, guard } = await aFollowing();
    server.statuses = { '/feed': 503 };
    server.cut();
    const opened = server.count('GET /feed');
    const started = performance.now();
    await until('it has tried six times', () => server.count('GET /feed') >= opened + 6);
    // Six pauses of 20 to 100, 200, 400, … milliseconds: about a second in the middle.
    expect(performance.now() - started).toBeGreaterThan(100);
    server.statuses = {};
    await until('it is back', () => guard.status().connected);
  });

  it('refuses the credential says so, and answers 503', async () => {
    const server = await aFeedServer();
    const guard = aFollower([server], { feed: { credential: 'correct-horse' } });
    await expect(guard.ready(0.3)).rejects.toThrow(
      /is not ready after 0.3 seconds: .*refuses the feed credential \(401\)/,
    );
    expect(await verdictOn(guard, aTokenOf(server, 'session-1'))).toBe('temporarily_unavailable');
    expect(JSON.stringify(guard.status())).not.toContain('horse');
  });

  it('has no feed says so', async () => {
    const server = await aFeedServer();
    server.statuses = { '/feed/snapshot': 404 };
    const guard = aFollower([server]);
    await expect(guard.ready(0.2)).rejects.toThrow('has no feed: it answers 404');
  });

  it('redirects is not followed elsewhere, and the credential is not sent there', async () => {
    const server = await aFeedServer();
    server.statuses = { '/feed/snapshot': 302 };
    await expect(aFollower([server]).ready(0.2)).rejects.toThrow('it answers 302');
  });
});

describe('taking leave', () => {
  it('makes nobody wait for the guard, which grants nothing from then on', async () => {
    const { server, guard } = await aFollowing({ feed: { maxStaleness: 'until-expiry' } });
    const token = aTokenOf(server, 'session-1');
    await until('it is connected', () => guard.status().connected);
    const guardId = server.requests.find(({ what }) => what === 'GET /feed')?.query.get('guard');
    await guard.close();
    expect(server.left).toEqual([guardId]);
    expect(verdictNow(guard, token)).toBe('temporarily_unavailable');
    expect(guard.status()).toMatchObject({ ready: false, problem: 'The guard was closed' });
    await until('its streams are closed', () => server.streams === 0);
    await guard.close();
  });

  it('does not need a server that answers', async () => {
    const { server, guard } = await aFollowing();
    server.isFrozen = true;
    await guard.close();
    await aFollower([server]).close();
  });
});

describe('a guard without a feed', () => {
  it('is ready as soon as it has keys, and has nothing to close', async () => {
    const { createGuard } = await import('@sallyport/guard');
    const { audience, issuer, issuerKeys } = await import('../../tokens.ts');
    const guard = createGuard({ issuer, audience, keys: issuerKeys });
    await guard.ready();
    expect(guard.status()).toEqual({ ready: true, connected: false, lag: 0, entries: 0 });
    await guard.close();
    const { remoteJwkSet } = await import('@sallyport/jwt');
    const deaf = createGuard({ issuer, audience, keys: remoteJwkSet('http://127.0.0.1:1/jwks') });
    await expect(deaf.ready(0.1)).rejects.toThrow('the keys of the issuer cannot be fetched');
    for (const timeout of [-1, Number.NaN, '5'] as number[])
      await expect(guard.ready(timeout)).rejects.toThrow(TypeError);
  });
});
