import { describe, expect, it } from 'vitest';
import type { GuardOptions, Verdict } from '@sallyport/guard';
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

/** A clock that the test sets. */
function aClock(): { ahead: number; readonly now: () => Date } {
  const clock = { ahead: 0, now: () => new Date(Date.now() + clock.ahead) };
  return clock;
}

const refusalOf = (verdict: Verdict) => (verdict.granted ? undefined : verdict.refusal);

describe('a guard that does not know', () => {
  it('B9 answers 503 with Retry-After before it has read anything, whatever the route allows', async () => {
    const server = await aFeedServer();
    await server.stop();
    const guard = aFollower([server]);
    for (const maxStaleness of [5, 'until-expiry'] as const) {
      const verdict = await guard.check({ authorization: [`Bearer ${aTokenOf(server, 'a')}`] }, { maxStaleness });
      expect(refusalOf(verdict)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    }
    expect(guard.status()).toMatchObject({ ready: false, connected: false, entries: 0, lag: 0 });
    await until('it says why', () => guard.status().problem?.includes('cannot be reached (ECONNREFUSED)'));
    expect(guard.status()).not.toHaveProperty('staleness');
  });

  it('B9 D5 goes on for as long as its bound allows, then answers 503 and never 401', async () => {
    const clock = aClock();
    const { server, guard } = await aFollowing({ now: clock.now });
    const token = aTokenOf(server, 'session-1', { exp: Math.floor(Date.now() / 1000) + 7200 });
    await server.stop();
    clock.ahead = 20_000;
    expect(verdictNow(guard, token)).toBe('granted');
    clock.ahead = 31_000;
    expect(verdictNow(guard, token)).toBe('later');
    expect(await verdictOn(guard, token)).toBe('temporarily_unavailable');
    expect(guard.status().ready).toBe(false);
    expect(guard.status().staleness).toBeGreaterThan(30);
    await server.start();
    await until('it is fresh again', () => verdictNow(guard, token) === 'granted');
  });

  it('says without any bound until when a token is good, if it is told to', async () => {
    const clock = aClock();
    const { server, guard } = await aFollowing({ now: clock.now, feed: { maxStaleness: 'until-expiry' } });
    const token = aTokenOf(server, 'session-1');
    await server.stop();
    clock.ahead = 599_000;
    expect(verdictNow(guard, token)).toBe('granted');
    expect(await verdictOn(guard, token, { maxStaleness: 5 })).toBe('temporarily_unavailable');
    clock.ahead = 601_000;
    expect(verdictNow(guard, token)).toBe('token_expired');
  });

  it('holds each route to its own bound', async () => {
    const clock = aClock();
    const { server, guard } = await aFollowing({ now: clock.now });
    const token = aTokenOf(server, 'session-1', { exp: Math.floor(Date.now() / 1000) + 7200 });
    await server.stop();
    clock.ahead = 10_000;
    const verdicts = async (): Promise<string[]> => [
      await verdictOn(guard, token, { maxStaleness: 5 }),
      await verdictOn(guard, token),
      await verdictOn(guard, token, { maxStaleness: 3600 }),
      await verdictOn(guard, token, { maxStaleness: 'until-expiry' }),
    ];
    expect(await verdicts()).toEqual(['temporarily_unavailable', 'granted', 'granted', 'granted']);
    clock.ahead = 40_000;
    expect(await verdicts()).toEqual(['temporarily_unavailable', 'temporarily_unavailable', 'granted', 'granted']);
    clock.ahead = 3_700_000;
    expect((await verdicts()).slice(2)).toEqual(['temporarily_unavailable', 'granted']);
  });

  it('asks more often for the route with the tightest bound', async () => {
    const [tight, usual] = [await aFollowing(), await aFollowing()];
    verdictNow(tight.guard, aTokenOf(tight.server, 'session-1'), { maxStaleness: 1 });
    const pingsOf = ({ server }: typeof tight): number => server.pings.length;
    const [first, usualFirst] = [pingsOf(tight), pingsOf(usual)];
    await until('six more pings are sent', () => pingsOf(tight) >= first + 6);
    expect(pingsOf(usual) - usualFirst).toBeLessThan(5);
  });

  it('is not deceived by a clock that was set back while nothing was heard', async () => {
    const clock = aClock();
    const { server, guard } = await aFollowing({ now: clock.now, feed: { maxStaleness: 1 } });
    const token = aTokenOf(server, 'session-1', { iat: Math.floor(Date.now() / 1000) - 60 });
    await server.stop();
    clock.ahead = -30_000;
    expect(verdictNow(guard, token)).toBe('granted');
    await until('it stops', async () => (await verdictOn(guard, token)) === 'temporarily_unavailable');
  });

  it('does not grant by a stream that is held back while its connection lives, though it learns through it', async () => {
    const { server, guard } = await aFollowing({ feed: { maxStaleness: 1, transport: 'stream' } });
    const token = aTokenOf(server, 'session-1');
    server.statuses = { '/token/introspect': 503 };
    server.streamDelay = 3000;
    server.append(theEndOf('session-1'));
    const verdicts: string[] = [];
    await until('the entry is known', async () => {
      verdicts.push(await verdictOn(guard, token));
      return guard.status().cursor === server.cursor;
    });
    const stoppedAt = verdicts.indexOf('temporarily_unavailable');
    expect(stoppedAt).toBeGreaterThan(0);
    expect(new Set(verdicts.slice(stoppedAt))).toEqual(new Set(['temporarily_unavailable']));
    server.streamDelay = 0;
    await until('it is fresh again', () => guard.status().ready);
    expect(verdictNow(guard, token)).toBe('token_revoked');
  });
});

describe('a guard that asks the issuer', () => {
  /** A guard that was cut off from the feed for too long, while the issuer answers everything else. */
  async function aStaleGuard(options: Partial<GuardOptions> = {}) {
    const clock = aClock();
    const following = await aFollowing({ ...options, now: clock.now });
    following.server.statuses = { '/feed': 500, '/feed/ping': 500 };
    following.server.cut();
    await until('it is cut off', () => !following.guard.status().connected);
    clock.ahead = 31_000;
    return { clock, ...following };
  }

  it('grants what the issuer says of roles and scopes now', async () => {
    const { server, guard } = await aStaleGuard();
    server.introspect = () => ({ active: true, scope: 'todos:read', roles: ['user', 7, 'chief'] });
    const token = aTokenOf(server, 'session-1', { roles: ['admin'] });
    expect(await verdictOn(guard, token, { role: 'chief', scope: 'todos:read' })).toBe('granted');
    expect(await verdictOn(guard, token, { role: 'admin' })).toBe('insufficient_role');
    const request = server.requests.find(({ what }) => what === 'POST /token/introspect');
    expect(new URLSearchParams(request?.body).get('token')).toBe(token);
  });

  it('refuses what the issuer calls dead', async () => {
    const { server, guard } = await aStaleGuard();
    expect(await verdictOn(guard, aTokenOf(server, 'session-1'))).toBe('token_revoked');
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['a list', []],
    ['nothing', null],
  ])('answers 503 when the issuer answers %s', async (_, answer) => {
    const { server, guard } = await aStaleGuard();
    server.introspect = () => answer;
    expect(await verdictOn(guard, aTokenOf(server, 'session-1'))).toBe(
      answer === 'nonsense' || Array.isArray(answer) || answer === null ? 'temporarily_unavailable' : 'granted',
    );
  });

  it.each([401, 403, 404, 429, 500, 503])('answers 503 when the issuer answers %i', async (status) => {
    const { server, guard } = await aStaleGuard();
    server.statuses = { ...server.statuses, '/token/introspect': status };
    expect(await verdictOn(guard, aTokenOf(server, 'session-1'))).toBe('temporarily_unavailable');
  });

  it('asks once for many requests with one token, and again after a second', async () => {
    const { server, guard, clock } = await aStaleGuard();
    server.introspect = () => ({ active: true, scope: '', roles: [] });
    const token = aTokenOf(server, 'session-1');
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verdictOn(guard, token)));
    expect([new Set(verdicts), server.count('POST /token/introspect')]).toEqual([new Set(['granted']), 1]);
    server.introspect = () => ({ active: false });
    clock.ahead += 1001;
    expect(await verdictOn(guard, token)).toBe('token_revoked');
    expect(server.count('POST /token/introspect')).toBe(2);
  });

  it('does not flood the issuer: so many at once, and nobody for a second after a failure', async () => {
    const { server, guard, clock } = await aStaleGuard();
    server.introspect = () => ({ active: true, scope: '', roles: [] });
    const tokens = Array.from({ length: 100 }, (_, index) => aTokenOf(server, `session-${index}`));
    const verdicts = await Promise.all(tokens.map((token) => verdictOn(guard, token)));
    expect(verdicts.filter((verdict) => verdict === 'granted')).toHaveLength(32);
    expect(server.count('POST /token/introspect')).toBe(32);
    server.statuses = { ...server.statuses, '/token/introspect': 503 };
    clock.ahead += 1001;
    for (const token of tokens) expect(await verdictOn(guard, token)).toBe('temporarily_unavailable');
    expect(server.count('POST /token/introspect')).toBe(33);
  });

  it('believes no answer about rights that somebody changed', async () => {
    const { server, guard } = await aStaleGuard();
    server.introspect = () => ({ active: true, scope: 'todos:read', roles: ['user'] });
    const request = { authorization: [`Bearer ${aTokenOf(server, 'session-1')}`] };
    const verdict = await guard.check(request);
    const scopes = verdict.granted ? (verdict.access?.scopes as Set<string>) : new Set<string>();
    expect(() => scopes.add('*')).toThrow(TypeError);
  });

  it('asks another node when one does not answer', async () => {
    const clock = aClock();
    const servers = [await aFeedServer(), await aFeedServer()];
    const guard = aFollower(servers, { now: clock.now });
    await guard.ready();
    for (const server of servers) {
      server.statuses = { '/feed': 500, '/feed/ping': 500 };
      server.introspect = () => ({ active: true, scope: '', roles: [] });
      server.cut();
    }
    await until('it is cut off', () => !guard.status().connected);
    await servers[0]?.stop();
    clock.ahead = 31_000;
    const [server] = servers;
    if (server === undefined) throw new Error('there are two');
    expect(await verdictOn(guard, aTokenOf(server, 'session-1'))).toBe('granted');
  });
});

describe('a token from beyond what is known', () => {
  it('waits a moment for what it was made after', async () => {
    const { server, guard } = await aFollowing();
    server.streamDelay = 10;
    server.append({ kind: 7, key: 'chief', data: { scopes: ['chief:all'] } });
    const token = aTokenOf(server, 'session-1', { roles: ['chief'] });
    expect(verdictNow(guard, token, { scope: 'chief:all' })).toBe('later');
    expect(await verdictOn(guard, token, { scope: 'chief:all' })).toBe('granted');
  });

  it('is judged by what is known when that does not come, and at once where a route does not care', async () => {
    const { server, guard } = await aFollowing();
    server.lost.add(server.head + 1);
    server.append({ kind: 2, key: 'ada' });
    const token = aTokenOf(server, 'session-1', { sub: 'ada' });
    expect(verdictNow(guard, token, { maxStaleness: 'until-expiry' })).toBe('granted');
    expect(await verdictOn(guard, token)).toBe('granted');
  });

  it('makes a guard look for another process after a second', async () => {
    const servers = [await aFeedServer(), await aFeedServer()];
    const guard = aFollower(servers);
    await guard.ready();
    const [behind, other] = servers.toSorted((one) => (one.url === guard.status().node ? -1 : 1));
    if (behind === undefined || other === undefined) throw new Error('there are two');
    behind.lost.add(behind.head + 1);
    for (const server of servers) server.append(theEndOf('session-1'));
    const token = aTokenOf(other, 'session-2');
    await verdictOn(guard, token);
    await until('it follows the other process', () => guard.status().node === other.url);
    await caughtUp(guard, other);
    expect(verdictNow(guard, token)).toBe('granted');
  });

  it('is older than everything once the log is proved to be shorter', async () => {
    const { server, guard } = await aFollowing();
    server.append({ kind: 2, key: 'ada' });
    await caughtUp(guard, server);
    const forged = aTokenOf(server, 'session-1', { sub: 'ada', af: Number.MAX_SAFE_INTEGER });
    await until('it is refused', async () => (await verdictOn(guard, forged)) === 'token_revoked');
    expect(verdictNow(guard, forged)).toBe('token_revoked');
    server.append(theEndOf('session-3'));
    await caughtUp(guard, server);
    expect(verdictNow(guard, aTokenOf(server, 'session-2', { sub: 'ada' }))).toBe('granted');
    expect(server.count('GET /feed')).toBe(1);
  });
});

describe('a route that limits staleness under a guard that follows nothing', () => {
  it('is a mistake that no request hides', async () => {
    const { createGuard } = await import('@sallyport/guard');
    const { anAccessToken, audience, issuer, issuerKeys } = await import('../../tokens.ts');
    const guard = createGuard({ issuer, audience, keys: issuerKeys });
    expect(() => guard.check({ authorization: [`Bearer ${anAccessToken()}`] }, { maxStaleness: 5 })).toThrow(TypeError);
    expect(verdictNow(guard, anAccessToken(), { maxStaleness: 'until-expiry' })).toBe('granted');
  });
});
