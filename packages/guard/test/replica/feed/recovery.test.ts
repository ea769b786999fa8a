import { describe, expect, it } from 'vitest';
import { changeKinds } from '@sallyport/guard';
import { generateKey } from '@sallyport/jwt';
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

describe('entries that cannot be continued', () => {
  it('are all fetched anew when one was lost', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1');
    server.lost.add(server.head + 1);
    server.append(theEndOf('session-1'));
    server.append(theEndOf('session-2'));
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
    expect(server.count('GET /feed/snapshot')).toBe(2);
  });

  it('leave a guard stale when the last one was lost, which no gap shows', async () => {
    const { server, guard } = await aFollowing({ feed: { maxStaleness: 1 } });
    const token = aTokenOf(server, 'session-1');
    server.introspect = () => ({ active: false });
    server.lost.add(server.head + 1);
    server.append(theEndOf('session-1'));
    await until('the guard knows that something is missing', () => guard.status().lag === 1);
    await until('the guard asks the issuer', async () => (await verdictOn(guard, token)) === 'token_revoked');
  });

  it('are all fetched anew when the server says so', async () => {
    const { server, guard } = await aFollowing();
    await until('it follows', () => guard.status().connected);
    server.say('resync', {});
    server.endStreams();
    await until('another snapshot is taken', () => server.count('GET /feed/snapshot') === 2);
    server.append(theEndOf('session-1'));
    await caughtUp(guard, server);
  });

  it('are all fetched anew when a guard was away for too long', async () => {
    const { server, guard } = await aFollowing();
    await server.stop();
    server.append(theEndOf('session-1'));
    server.append(theEndOf('session-2'));
    // Pruned meanwhile: it cannot be replayed, and nobody needs it.
    server.entries = server.entries.filter(([sequence]) => sequence !== 3);
    const again = aTokenOf(server, 'session-2', { af: 0 });
    await server.start();
    await caughtUp(guard, server);
    expect(verdictNow(guard, again)).toBe('token_revoked');
    expect(server.count('GET /feed/snapshot')).toBe(2);
  });

  it('are all fetched anew under another key of the hash', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1', { af: 0 });
    server.append(theEndOf('session-1'));
    await caughtUp(guard, server);
    server.hashKey = 'ffeeddccbbaa9988';
    server.cut();
    await until('another snapshot is taken', () => server.count('GET /feed/snapshot') === 2);
    server.append(theEndOf('session-2'));
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
    expect(verdictNow(guard, aTokenOf(server, 'session-2', { af: 0 }))).toBe('token_revoked');
  });

  it('are not needed when a connection was cut: the log is read on from where it was', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1');
    await server.stop();
    server.append(theEndOf('session-1'));
    expect(verdictNow(guard, token)).toBe('granted');
    await server.start();
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
    expect(server.count('GET /feed/snapshot')).toBe(1);
  });
});

describe('a log that was restored from a backup', () => {
  it('revives nothing that had been revoked, and lets in whoever signs in afterwards', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1', { sub: 'ada' });
    for (let index = 0; index < 10; index += 1) server.append({ kind: changeKinds.userFloor, key: 'ada' });
    await caughtUp(guard, server);
    server.restore(2);
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
    const soon = Math.floor(Date.now() / 1000) + 2;
    expect(verdictNow(guard, aTokenOf(server, 'session-2', { sub: 'ada', iat: soon }))).toBe('granted');
  });

  it('lets in whoever signs in at the very moment at which a guard hears of the recovery', async () => {
    const { server, guard } = await aFollowing();
    server.append({ kind: changeKinds.userFloor, key: 'ada' });
    await caughtUp(guard, server);
    const before = aTokenOf(server, 'session-1', { sub: 'grace' });
    // What `recover` does: the log goes on beyond every place it can have had, and everything before is dead.
    server.restore(2);
    server.head = 1_000_000;
    server.append({ kind: changeKinds.globalFloor });
    await caughtUp(guard, server);
    server.append(theEndOf('another'));
    const iat = Math.floor(Date.now() / 1000);
    const after = aTokenOf(server, 'session-2', { sub: 'ada', iat });
    await caughtUp(guard, server);
    expect(verdictNow(guard, after)).toBe('granted');
    expect(verdictNow(guard, before)).toBe('token_revoked');
    expect(verdictNow(guard, aTokenOf(server, 'session-3', { sub: 'ada', iat, af: 500_000 }))).toBe('token_revoked');
  });

  it('hits tokens of the lost history, also when it has grown past them', async () => {
    const { server, guard } = await aFollowing();
    for (let index = 0; index < 10; index += 1) server.append(theEndOf(`other-${index}`));
    await caughtUp(guard, server);
    const token = aTokenOf(server, 'session-1', { sub: 'ada' });
    server.restore(2);
    await caughtUp(guard, server);
    server.append({ kind: changeKinds.userFloor, key: 'ada' });
    for (let index = 0; index < 20; index += 1) server.append(theEndOf(`other-${index}`));
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
  });

  it('keeps every former history, whatever key each was hashed under', async () => {
    const { server, guard } = await aFollowing();
    const tokens = ['a', 'b', 'c'].map((session) => aTokenOf(server, session, { af: 0 }));
    for (const [index, hashKey] of ['0011001100110011', '2233223322332233', '4455445544554455'].entries()) {
      server.append(theEndOf(['a', 'b', 'c'][index] ?? ''));
      await caughtUp(guard, server);
      server.hashKey = hashKey;
      server.restore(2);
      await caughtUp(guard, server);
    }
    expect(tokens.map((token) => verdictNow(guard, token))).toEqual([
      'token_revoked',
      'token_revoked',
      'token_revoked',
    ]);
  });

  it('is told from a process that only lags behind, which takes nothing away', async () => {
    const [ahead, behind] = [await aFeedServer(), await aFeedServer()];
    const guard = aFollower([ahead]);
    await guard.ready();
    // One process knows of the entry, the other has not heard yet: it last asked the database long ago.
    behind.age = 60_000;
    const both = aFollower([ahead, behind]);
    await until('it follows the process that knows more', async () => {
      if (both.status().node === ahead.url) return true;
      behind.cut();
      return false;
    });
    ahead.append({ kind: changeKinds.userFloor, key: 'ada' });
    ahead.append(theEndOf('session-1'));
    await caughtUp(both, ahead);
    await both.ready();
    const [honest, revoked] = [aTokenOf(ahead, 'session-2', { sub: 'ada' }), aTokenOf(ahead, 'session-1', { af: 2 })];
    await ahead.stop();
    await until('the other process is asked', () => behind.count('GET /feed/snapshot') > 1);
    expect([verdictNow(both, honest), verdictNow(both, revoked)]).toEqual(['granted', 'token_revoked']);
    for (const [, kind, key] of ahead.entries.slice(2)) behind.append({ kind, key });
    behind.age = 0;
    await until('the other process has caught up', () => both.status().node === behind.url);
    expect([verdictNow(both, honest), verdictNow(both, revoked)]).toEqual(['granted', 'token_revoked']);
  });

  it('is noticed by a head that went back although the incarnation stayed, once that is proved', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1', { af: 0 });
    server.append(theEndOf('session-1'));
    await caughtUp(guard, server);
    server.restore(2, 'first');
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_revoked');
  });
});

describe('a snapshot', () => {
  it('is refused unless the issuer signed it', async () => {
    const server = await aFeedServer();
    server.signer = await generateKey('ES256', { keyId: 'issuer-1' });
    const guard = aFollower([server]);
    await until('it was tried twice', () => server.count('GET /feed/snapshot') >= 2);
    expect(guard.status()).toMatchObject({
      ready: false,
      entries: 0,
      problem: 'The snapshot is not what the issuer signed',
    });
    expect(await verdictOn(guard, aTokenOf(server, 'session-1'))).toBe('token_revoked');
    expect(server.count('POST /token/introspect')).toBe(1);
  });

  it('is refused when a key signed it that is known to be dead', async () => {
    const { server, guard } = await aFollowing();
    server.append({ kind: changeKinds.keyDead, key: 'issuer-1' });
    await caughtUp(guard, server);
    server.say('resync', {});
    await until('it was refused', () => guard.status().problem === 'The snapshot is signed by a key that is dead');
  });

  it('is asked for again when it broke off', async () => {
    const server = await aFeedServer();
    let turn = 0;
    server.tamper = (bytes) => ((turn += 1) === 1 ? bytes.subarray(0, 50) : bytes);
    const guard = aFollower([server]);
    await guard.ready();
    expect(server.count('GET /feed/snapshot')).toBe(2);
  });
});

describe('versions of the protocol', () => {
  it.each([
    { v: 1, min: 1 },
    { v: 3, min: 1 },
    { v: 1, min: 0 },
  ])('that are spoken: $min to $v', async (version) => {
    const server = await aFeedServer();
    server.version = version;
    const guard = aFollower([server]);
    await guard.ready();
    expect(guard.status()).toMatchObject({ ready: true, connected: true });
  });

  it('stop a guard that knows none of them, and a process that speaks one starts it again', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1');
    server.version = { v: 3, min: 2 };
    server.cut();
    await until('it stops', () => verdictNow(guard, token) === 'temporarily_unavailable');
    expect(guard.status().problem).toBe('The feed speaks versions 2 to 3, this guard 1: upgrade @sallyport/guard');
    server.version = { v: 2, min: 1 };
    await until('it goes on', () => verdictNow(guard, token) === 'granted');
  });
});
