import { describe, expect, it } from 'vitest';
import { changeKinds } from '@sallyport/guard';
import { aFeedServer, aFollower, aFollowing, aTokenOf, caughtUp, theEndOf, verdictNow } from '../../feed-fixture.ts';
import { until } from '../../until.ts';

describe('a guard that follows a stream', () => {
  it('decides at once, from memory, as soon as it is ready', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1');
    expect(verdictNow(guard, token)).toBe('granted');
    expect(guard.status()).toEqual({
      ready: true,
      connected: true,
      node: server.url,
      transport: 'stream',
      cursor: 'first.2',
      lag: 0,
      staleness: expect.any(Number) as number,
      entries: 2,
    });
    expect(server.count('POST /token/introspect')).toBe(0);
  });

  it('knows what had happened before it came', async () => {
    const server = await aFeedServer();
    const token = aTokenOf(server, 'session-1');
    server.append(theEndOf('session-1'));
    const guard = aFollower([server]);
    await guard.ready();
    expect(verdictNow(guard, token)).toBe('token_revoked');
    expect(verdictNow(guard, aTokenOf(server, 'session-2'))).toBe('granted');
    expect(server.count('GET /feed/snapshot')).toBe(1);
  });

  it.each([
    ['the end of a session', { kind: changeKinds.sessionDead, key: 'session-1' }, 'token_revoked'],
    ['the end of all sessions of a user', { kind: changeKinds.userFloor, key: 'ada' }, 'token_revoked'],
    ['a floor for an organisation', { kind: changeKinds.organisationFloor, key: 'org' }, 'token_revoked'],
    ['a floor for a client', { kind: changeKinds.clientFloor, key: 'web' }, 'token_revoked'],
    ['a floor for everybody', { kind: changeKinds.globalFloor }, 'token_revoked'],
    ['a dead key', { kind: changeKinds.keyDead, key: 'issuer-1' }, 'token_invalid'],
    ['a dead token', { kind: changeKinds.tokenDead, key: 'token-x' }, 'token_revoked'],
    ['a role taken away', { kind: changeKinds.userOverride, key: 'ada', data: { roles: [] } }, 'insufficient_role'],
    ['a role that is gone', { kind: changeKinds.roleDefinition, key: 'user', data: null }, 'insufficient_role'],
  ] as const)('S8 S9 learns of %s while it runs', async (_, entry, code) => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1', { sub: 'ada', o: 'org', client_id: 'web', jti: 'token-x' });
    expect(verdictNow(guard, token, { role: 'user' })).toBe('granted');
    server.append(entry);
    await caughtUp(guard, server);
    expect(verdictNow(guard, token, { role: 'user' })).toBe(code);
  });

  it('lets in whoever signs in again after the end of all sessions', async () => {
    const { server, guard } = await aFollowing();
    server.append({ kind: changeKinds.userFloor, key: 'ada' });
    await caughtUp(guard, server);
    expect(verdictNow(guard, aTokenOf(server, 'session-2', { sub: 'ada' }))).toBe('granted');
  });

  it('gives rights as soon as they are given, without another token', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1', { sub: 'ada' });
    expect(verdictNow(guard, token, { scope: 'todos:write' })).toBe('insufficient_scope');
    server.append({ kind: changeKinds.roleDefinition, key: 'user', data: { scopes: ['todos:*'] } });
    await caughtUp(guard, server);
    expect(verdictNow(guard, token, { scope: 'todos:write' })).toBe('granted');
    server.append({ kind: changeKinds.userOverride, key: 'ada', data: { roles: ['user', 'admin'] } });
    await caughtUp(guard, server);
    expect(verdictNow(guard, token, { role: 'admin', scope: 'users:write' })).toBe('granted');
  });

  it('takes the tokens it remembers along with a key that dies', async () => {
    const { server, guard } = await aFollowing();
    const token = aTokenOf(server, 'session-1');
    expect([verdictNow(guard, token), verdictNow(guard, token)]).toEqual(['granted', 'granted']);
    server.append({ kind: changeKinds.keyDead, key: 'issuer-1' });
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('token_invalid');
  });

  it('asks for no echo of what it merely acknowledges, and for one in every period all the same', async () => {
    const { server, guard } = await aFollowing({ feed: { maxStaleness: 1 } });
    const echoes = (): (boolean | undefined)[] => server.pings.map(({ echo }) => echo);
    const asked = (echo: false | undefined): number => echoes().filter((each) => each === echo).length;
    const before = asked(undefined);
    for (let round = 0; asked(undefined) < before + 3; round += 1) {
      server.append({ ...theEndOf(`session-${round}`), flags: 3 });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(asked(false)).toBeGreaterThan(3);
    expect(guard.status().ready).toBe(true);
  });

  it('asks again and again how current it is', async () => {
    const { server, guard } = await aFollowing({ feed: { maxStaleness: 1 } });
    const pings = server.pings.length;
    await until('three more pings are sent', () => server.pings.length >= pings + 3);
    expect(guard.status().ready).toBe(true);
  });

  it('says who it is and for how long it grants without news', async () => {
    const { server } = await aFollowing({ feed: { maxStaleness: 7.5 } });
    const query = server.requests.find(({ what }) => what === 'GET /feed')?.query;
    expect(Object.fromEntries(query ?? [])).toEqual({
      cursor: 'first.2',
      guard: expect.stringMatching(/^[\w-]{8,64}$/) as string,
      lease: '8',
    });
  });

  it('ignores comments, unknown events and what it has already', async () => {
    const { server, guard } = await aFollowing();
    server.sayRaw(': alive\n\n');
    server.say('weather', { sun: true });
    server.say('c', [2, changeKinds.globalFloor, '', 0, 1]);
    server.append(theEndOf('session-1'));
    await caughtUp(guard, server);
    expect(verdictNow(guard, aTokenOf(server, 'session-2', { af: 0 }))).toBe('granted');
    expect(server.count('GET /feed')).toBe(1);
  });

  it('skips entries of unknown kinds, and stops at those that are critical', async () => {
    const { server, guard } = await aFollowing();
    server.append({ kind: 77, flags: 0, data: { any: 'thing' } });
    await caughtUp(guard, server);
    const token = aTokenOf(server, 'session-1');
    expect(verdictNow(guard, token)).toBe('granted');
    server.append({ kind: 78, flags: 1 });
    await caughtUp(guard, server);
    expect(verdictNow(guard, token)).toBe('temporarily_unavailable');
    expect(guard.status()).toMatchObject({
      ready: false,
      problem: 'Change 4 is of kind 78, which this version does not know: upgrade @sallyport/guard',
    });
    expect(server.count('POST /token/introspect')).toBe(0);
  });

  it('tells the application why it answers 503', async () => {
    const causes: unknown[] = [];
    const { server, guard } = await aFollowing({ onUnavailable: (cause) => causes.push(cause) });
    server.append({ kind: 78 });
    await caughtUp(guard, server);
    verdictNow(guard, aTokenOf(server, 'session-1'));
    expect(causes).toMatchObject([{ name: 'ChangesUnavailableError', message: /upgrade @sallyport\/guard/ }]);
  });
});
