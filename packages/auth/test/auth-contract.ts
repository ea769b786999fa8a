import { verifyAccessToken, type AccessTokenClaims } from '@sallyport/jwt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeKinds } from '../src/changes/change.ts';
import type { TokenPair } from '../src/tokens/token-pair.ts';
import { anAuth, issuer, password, type AuthFixture } from './auth-fixture.ts';
import type { TestDatabase } from './databases.ts';

/** What the engine promises, whatever database is under it. */
export function describeAuth(name: string, start: () => Promise<TestDatabase>): void {
  describe(`the engine on ${name}`, () => {
    let database: TestDatabase;
    let fixture: AuthFixture;

    beforeAll(async () => {
      database = await start();
    });
    afterAll(() => database.stop());
    beforeEach(async () => {
      fixture = await anAuth({}, (await database.create()).connect());
    });
    afterEach(() => fixture.auth.close());

    async function signIn(username = 'ada', scope?: string): Promise<TokenPair> {
      return fixture.auth.signIn({ username, password, scope });
    }

    async function ada(): Promise<{ id: string }> {
      return fixture.auth.users.register({ username: 'ada', password });
    }

    async function claimsOf(pair: TokenPair): Promise<AccessTokenClaims> {
      const options = { keys: fixture.auth.keys.source, issuer, audience: issuer, now: fixture.clock() };
      return (await verifyAccessToken(pair.accessToken, options)).claims;
    }

    const isActive = async (token: string): Promise<boolean> => (await fixture.auth.introspect(token)).active;
    const refresh = (refreshToken: string, scope?: string): Promise<TokenPair> =>
      fixture.auth.refresh({ refreshToken, scope });
    const refused = { code: 'refresh_token_invalid' };

    describe('signing in', () => {
      it('gives an access token with the claims of RFC 9068 and a refresh token', async () => {
        const { id } = await ada();
        const pair = await signIn('ADA');
        expect(pair).toMatchObject({ expiresIn: 900, scope: '', userId: id });
        const claims = await claimsOf(pair);
        const now = fixture.clock().getTime() / 1000;
        expect(claims).toEqual({
          iss: issuer,
          sub: id,
          aud: issuer,
          client_id: 'first-party',
          iat: now,
          nbf: now,
          exp: now + 900,
          auth_time: now,
          jti: expect.stringMatching(/^[\w-]{11}$/),
          sid: pair.sessionId,
          af: 2,
          scope: '',
          roles: ['user'],
        });
        expect(pair.accessToken.length).toBeLessThan(520);
      });

      it('P6: refuses unknown users, wrong passwords and disabled users with the same error', async () => {
        const { id } = await ada();
        await fixture.auth.users.disable(id);
        const attempts = [
          fixture.auth.signIn({ username: 'nobody', password }),
          fixture.auth.signIn({ username: 'ada', password: 'not the password' }),
          signIn(),
        ];
        const errors = await Promise.all(attempts.map((attempt) => attempt.catch((error: unknown) => error)));
        for (const error of errors) expect(error).toMatchObject({ code: 'credentials_invalid', details: {} });
        expect(new Set(errors.map(String)).size).toBe(1);
        const reasons = fixture.events.flatMap((event) => (event.type === 'sign_in_refused' ? [event.reason] : []));
        expect(reasons.toSorted()).toEqual(['disabled', 'unknown_user', 'wrong_password']);
      });

      it('grants what the roles grant, or less when less is asked for, never more', async () => {
        const { id } = await ada();
        await fixture.auth.roles.set('editor', ['todos:*', 'notes:read']);
        await fixture.auth.users.setRoles(id, ['editor']);
        expect((await signIn()).scope).toBe('notes:read todos:*');
        const limited = await signIn('ada', 'todos:read');
        expect(limited.scope).toBe('todos:read');
        expect(await claimsOf(limited)).toMatchObject({ scope: 'todos:read', limited: true, roles: ['editor'] });
        await expect(signIn('ada', 'todos:read users:read')).rejects.toMatchObject({ code: 'scope_invalid' });
        await expect(signIn('ada', '*')).rejects.toMatchObject({ code: 'scope_invalid' });
      });

      it('keeps tokens small: under 600 characters with a few roles, under 1 KiB with 20, whatever they grant', async () => {
        const { id } = await ada();
        const names = Array.from({ length: 20 }, (_, index) => `role-${index + 10}`);
        for (const role of names) await fixture.auth.roles.set(role, [`${role}:read`, `${role}:write`]);
        for (const [count, length] of [
          [1, 600],
          [4, 600],
          [20, 1024],
        ] as const) {
          await fixture.auth.users.setRoles(id, names.slice(0, count));
          const pair = await signIn();
          expect(pair.scope.split(' ')).toHaveLength(2 * count);
          expect(pair.accessToken.length).toBeLessThan(length);
        }
        const { scope } = await claimsOf(await signIn('ada', 'role-10:read role-11:read role-12:read role-13:read'));
        expect(scope?.split(' ')).toHaveLength(4);
      });
    });

    describe('refreshing', () => {
      it('S2: rotates R1 → R2 → R3, and R1 after that ends the session', async () => {
        await ada();
        const first = await signIn();
        const second = await refresh(first.refreshToken);
        const third = await refresh(second.refreshToken);
        await expect(refresh(first.refreshToken)).rejects.toMatchObject(refused);
        await expect(refresh(third.refreshToken)).rejects.toMatchObject(refused);
        expect(await isActive(third.accessToken)).toBe(false);
        const { changes } = await fixture.auth.changes.readSince(2);
        expect(changes).toMatchObject([{ kind: changeKinds.sessionDead, key: first.sessionId }]);
        const outcomes = fixture.events.flatMap((event) => (event.type === 'refresh_presented' ? [event.outcome] : []));
        expect(outcomes).toEqual(['rotated', 'rotated', 'reused', 'ended']);
      });

      it('S3: gives the identical successor to a parent that comes again within 15 s', async () => {
        await ada();
        const first = await signIn();
        const second = await refresh(first.refreshToken);
        fixture.clock.forward(15);
        expect((await refresh(first.refreshToken)).refreshToken).toBe(second.refreshToken);
      });

      it('S4: answers 20 concurrent presentations with one and the same successor', async () => {
        await ada();
        const first = await signIn();
        const pairs = await Promise.all(Array.from({ length: 20 }, () => refresh(first.refreshToken)));
        expect(new Set(pairs.map((pair) => pair.refreshToken)).size).toBe(1);
        const rotations = fixture.events.filter(
          (event) => event.type === 'refresh_presented' && event.outcome === 'rotated',
        );
        expect(rotations).toHaveLength(1);
        await refresh(pairs[0]?.refreshToken ?? '');
      });

      it('tells an observer what each presentation was, and one that is refused to its holder', async () => {
        await ada();
        const first = await signIn();
        const refusalOf = async (token: string): Promise<unknown> => refresh(token).catch((error: unknown) => error);
        const second = await refresh(first.refreshToken);
        await refresh(first.refreshToken);
        fixture.clock.forward(10);
        await refresh(first.refreshToken);
        fixture.clock.forward(10);
        await refresh(first.refreshToken);
        const expected = ['rotated', 'raced', 'retried', 'forked', 'reused', 'ended', 'unknown', 'malformed'] as const;
        const bad = [second.refreshToken, second.refreshToken, `${second.refreshToken.slice(0, -4)}AAAA`, 'garbage'];
        for (const [index, token] of bad.entries()) {
          const outcome = expected[index + 4];
          expect(await refusalOf(token)).toMatchObject({ code: 'refresh_token_invalid', details: { outcome } });
        }
        const outcomes = fixture.events.flatMap((event) => (event.type === 'refresh_presented' ? [event.outcome] : []));
        expect(outcomes).toEqual(expected);
      });

      it('S6: counts the use of a parent that comes late against the idle lifetime', async () => {
        await ada();
        const first = await signIn();
        await refresh(first.refreshToken);
        fixture.clock.forward(29 * 86_400);
        const fork = await refresh(first.refreshToken);
        fixture.clock.forward(2 * 86_400);
        expect((await refresh(fork.refreshToken)).sessionId).toBe(first.sessionId);
      });

      it('forks for a parent that comes late; whoever uses the lost branch then ends the session', async () => {
        await ada();
        const first = await signIn();
        const lost = await refresh(first.refreshToken);
        fixture.clock.forward(8 * 3600);
        const fork = await refresh(first.refreshToken);
        expect(fork.refreshToken).not.toBe(lost.refreshToken);
        await expect(refresh(lost.refreshToken)).rejects.toMatchObject(refused);
        await expect(refresh(fork.refreshToken)).rejects.toMatchObject(refused);
      });

      it('S6: ends with the idle lifetime, and with the absolute one however often it is used', async () => {
        await ada();
        const idle = await signIn();
        fixture.clock.forward(30 * 86_400);
        await expect(refresh(idle.refreshToken)).rejects.toMatchObject(refused);
        let used = await signIn();
        for (let elapsed = 20; elapsed < 180; elapsed += 20) {
          fixture.clock.forward(20 * 86_400);
          used = await refresh(used.refreshToken);
        }
        fixture.clock.forward(20 * 86_400);
        await expect(refresh(used.refreshToken)).rejects.toMatchObject(refused);
      });

      it('never gives an access token that outlives its session', async () => {
        await ada();
        let pair = await signIn();
        for (let elapsed = 0; elapsed < 8; elapsed += 1) {
          fixture.clock.forward(22 * 86_400);
          pair = await refresh(pair.refreshToken);
        }
        fixture.clock.forward(4 * 86_400 - 60);
        expect((await refresh(pair.refreshToken)).expiresIn).toBe(60);
      });

      it('S7: may ask for less scope for one access token, and never for more than the session has', async () => {
        const { id } = await ada();
        await fixture.auth.users.setRoles(id, ['admin']);
        const first = await signIn('ada', 'todos:read todos:write');
        const narrow = await refresh(first.refreshToken, 'todos:read');
        expect(narrow.scope).toBe('todos:read');
        await expect(refresh(narrow.refreshToken, 'users:read')).rejects.toMatchObject({ code: 'scope_invalid' });
        expect((await refresh(narrow.refreshToken)).scope).toBe('todos:read todos:write');
      });

      it('S9: re-reads the roles, so that a refresh never resurrects an old one', async () => {
        const { id } = await ada();
        await fixture.auth.users.create({ username: 'root', password, roles: ['admin'] });
        await fixture.auth.users.setRoles(id, ['admin', 'user']);
        const first = await signIn();
        expect(first.scope).toBe('*');
        await fixture.auth.users.setRoles(id, ['user']);
        const second = await refresh(first.refreshToken);
        expect(second.scope).toBe('');
        expect((await claimsOf(second)).roles).toEqual(['user']);
      });

      it('refuses what is no refresh token of ours: J24, garbage, another server’s', async () => {
        await ada();
        const pair = await signIn();
        const other = await anAuth({ secretKey: 'another secret, just as long as the first one' });
        await other.auth.users.register({ username: 'ada', password });
        const foreign = await other.auth.signIn({ username: 'ada', password });
        for (const token of [pair.accessToken, 'garbage', '', foreign.refreshToken]) {
          await expect(refresh(token)).rejects.toMatchObject(refused);
        }
        await other.auth.close();
      });
    });

    describe('ending sessions', () => {
      const endings: readonly (readonly [string, (pair: TokenPair) => Promise<unknown>])[] = [
        ['revoking its refresh token', (pair) => fixture.auth.revoke(pair.refreshToken)],
        ['revoking its access token', (pair) => fixture.auth.revoke(pair.accessToken)],
        ['its owner ending it', (pair) => fixture.auth.sessions.end(pair.sessionId, { userId: pair.userId })],
        ['ending all sessions of its user', (pair) => fixture.auth.sessions.endAll(pair.userId)],
        ['ending every session there is', () => fixture.auth.sessions.endEverything()],
        ['disabling its user', (pair) => fixture.auth.users.disable(pair.userId)],
        ['deleting its user', (pair) => fixture.auth.users.delete(pair.userId)],
        [
          'an administrator setting another password',
          (pair) => fixture.auth.users.setPassword(pair.userId, 'another staple, another horse'),
        ],
        [
          'its user changing the password',
          (pair) =>
            fixture.auth.account.changePassword(pair.userId, {
              currentPassword: password,
              newPassword: 'another staple, another horse',
            }),
        ],
      ];

      it.each(endings)('S8, S9: %s kills its tokens and is told to guards', async (_, end) => {
        await ada();
        const pair = await signIn();
        expect([await isActive(pair.accessToken), await isActive(pair.refreshToken)]).toEqual([true, true]);
        const asOf = (await claimsOf(pair)).af ?? 0;
        await end(pair);
        expect([await isActive(pair.accessToken), await isActive(pair.refreshToken)]).toEqual([false, false]);
        await expect(refresh(pair.refreshToken)).rejects.toMatchObject(refused);
        const { changes } = await fixture.auth.changes.readSince(asOf);
        const kinds = [changeKinds.sessionDead, changeKinds.userFloor, changeKinds.globalFloor];
        expect(changes.some(({ kind, sequence }) => kinds.some((each) => each === kind) && sequence > asOf)).toBe(true);
      });

      it('says how many it ended', async () => {
        const { id } = await ada();
        await signIn();
        await signIn();
        expect(await fixture.auth.sessions.endAll(id)).toBe(2);
        expect(await fixture.auth.sessions.endAll(id)).toBe(0);
      });

      it('does not let a disabled and enabled user’s old sessions come back', async () => {
        const { id } = await ada();
        const pair = await signIn();
        await fixture.auth.users.disable(id);
        await fixture.auth.users.enable(id);
        await expect(refresh(pair.refreshToken)).rejects.toMatchObject(refused);
        expect((await signIn()).userId).toBe(id);
      });

      it('outlives every token it concerns, also those issued while tokens lived longer', async () => {
        const { connect } = await database.create();
        if (database.name.includes('memory')) return;
        const before = await anAuth({ accessToken: { lifetime: 86_400 } }, connect());
        const { id } = await before.auth.users.register({ username: 'ada', password });
        await before.auth.signIn({ username: 'ada', password });
        await before.auth.close();
        const after = await anAuth({}, connect());
        await after.auth.users.disable(id);
        const { changes } = await after.auth.changes.readSince(2);
        const now = after.clock().getTime() / 1000;
        expect(changes).toMatchObject([{ kind: changeKinds.userFloor, expiresAt: now + 86_400 + 60 }]);
        await after.auth.close();
      });

      it.each(endings)(
        'S8, S9: %s kills tokens for good, even if the clock was set back by an hour before',
        async (_, end) => {
          await ada();
          const pair = await signIn();
          const { af = 0, exp } = await claimsOf(pair);
          fixture.clock.forward(-3600);
          await end(pair);
          const { changes } = await fixture.auth.changes.readSince(af);
          for (const { expiresAt } of changes) expect(expiresAt ?? Infinity).toBeGreaterThanOrEqual(exp + 60);
          expect(changes).not.toEqual([]);
        },
      );

      it('S9: other roles reach tokens that were issued before the clock was set back', async () => {
        const { id } = await ada();
        const { af = 0, exp } = await claimsOf(await signIn());
        fixture.clock.forward(-3600);
        await fixture.auth.users.setRoles(id, []);
        const [change] = (await fixture.auth.changes.readSince(af)).changes;
        expect(change?.expiresAt).toBeGreaterThanOrEqual(exp + 60);
      });

      it('lets one access token die and its session live', async () => {
        await ada();
        const pair = await signIn();
        expect(await fixture.auth.tokens.revokeAccessToken(pair.accessToken)).toBe(true);
        expect(await isActive(pair.accessToken)).toBe(false);
        expect(await isActive((await refresh(pair.refreshToken)).accessToken)).toBe(true);
        expect(await fixture.auth.tokens.revokeAccessToken('garbage')).toBe(false);
      });

      it('O10: ends a session by an expired access token too, and ignores tokens it never made', async () => {
        await ada();
        const pair = await signIn();
        await fixture.auth.revoke('garbage');
        await fixture.auth.revoke(`${pair.accessToken.slice(0, -4)}AAAA`);
        expect(await isActive(pair.refreshToken)).toBe(true);
        fixture.clock.forward(3600);
        await fixture.auth.revoke(pair.accessToken);
        expect(await isActive(pair.refreshToken)).toBe(false);
      });

      it('S16: shows and ends only one’s own sessions', async () => {
        await ada();
        const { id: graceId } = await fixture.auth.users.register({ username: 'grace', password });
        const pair = await signIn();
        expect((await fixture.auth.sessions.list(pair.userId)).map((session) => session.id)).toEqual([pair.sessionId]);
        expect(await fixture.auth.sessions.list(graceId)).toEqual([]);
        const theft = fixture.auth.sessions.end(pair.sessionId, { userId: graceId });
        await expect(theft).rejects.toMatchObject({ code: 'session_not_found' });
        expect(await isActive(pair.accessToken)).toBe(true);
      });
    });

    describe('roles', () => {
      it('reach tokens that are already issued, through the change log', async () => {
        const { id } = await ada();
        await fixture.auth.roles.set('editor', ['todos:write', 'todos:read']);
        await fixture.auth.users.setRoles(id, ['editor', 'user']);
        await fixture.auth.roles.delete('editor');
        const { changes } = await fixture.auth.changes.readSince(2);
        expect(changes.map(({ kind, key, data }) => ({ kind, key, data }))).toEqual([
          { kind: changeKinds.roleDefinition, key: 'editor', data: { scopes: ['todos:read', 'todos:write'] } },
          { kind: changeKinds.userOverride, key: id, data: { roles: ['editor', 'user'] } },
          { kind: changeKinds.userOverride, key: id, data: { roles: ['user'] } },
          { kind: changeKinds.roleDefinition, key: 'editor', data: null },
        ]);
        expect((await fixture.auth.users.get(id)).roles).toEqual(['user']);
      });

      it('are taken from everybody at once, from however many', async () => {
        await fixture.auth.roles.set('editor', ['todos:write']);
        const { id } = await ada();
        await fixture.auth.users.setRoles(id, ['editor', 'user']);
        const { head } = await fixture.auth.changes.readSince(0);
        await Promise.allSettled([
          fixture.auth.roles.delete('editor'),
          fixture.auth.users.setRoles(id, ['editor']).catch(() => undefined),
        ]);
        expect((await fixture.auth.users.get(id)).roles).not.toContain('editor');
        const { changes } = await fixture.auth.changes.readSince(head);
        const last = changes.findLast(({ kind }) => kind === changeKinds.userOverride);
        expect(last?.data).toEqual({ roles: (await fixture.auth.users.get(id)).roles });
      });

      it('are few enough to fit a token', async () => {
        const { id } = await ada();
        const many = Array.from({ length: 33 }, (_, index) => `role-${index}`);
        await expect(fixture.auth.users.setRoles(id, many)).rejects.toMatchObject({ code: 'value_invalid' });
      });

      it('S18: keep the last administrator, also when two demote each other at once', async () => {
        const create = (username: string): Promise<{ id: string }> =>
          fixture.auth.users.create({ username, password, roles: ['admin'] });
        const [one, two] = [await create('one'), await create('two')];
        const results = await Promise.allSettled([
          fixture.auth.users.setRoles(one.id, ['user']),
          fixture.auth.users.disable(two.id),
        ]);
        expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
        expect(await fixture.auth.users.hasAdministrator()).toBe(true);
      });

      it('refuse to be changed when they are built in', async () => {
        await expect(fixture.auth.roles.set('admin', [])).rejects.toMatchObject({ code: 'role_built_in' });
        await expect(fixture.auth.roles.delete('user')).rejects.toMatchObject({ code: 'role_built_in' });
        await expect(fixture.auth.roles.delete('nobody')).rejects.toMatchObject({ code: 'role_not_found' });
      });
    });

    describe('accounts', () => {
      it('are made once, whatever the case of the name, also when two ask at once', async () => {
        const results = await Promise.allSettled([
          fixture.auth.users.register({ username: 'Grace', password }),
          fixture.auth.users.register({ username: 'GRACE', password }),
        ]);
        expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
        expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({
          code: 'username_taken',
        });
        expect((await fixture.auth.users.find('gRaCe')).roles).toEqual(['user']);
      });

      it('change name and address, and free the old ones', async () => {
        const { id } = await ada();
        const changed = await fixture.auth.users.update(id, { username: 'lovelace', email: 'ada@EXAMPLE.com' });
        expect(changed).toMatchObject({ username: 'lovelace', email: 'ada@example.com' });
        expect((await fixture.auth.users.update(id, { email: null })).email).toBeUndefined();
        await fixture.auth.users.register({ username: 'ada', password, email: 'ada@example.com' });
      });

      it('P19: change name and address after a recent sign-in, or with the password, not by an old token alone', async () => {
        const { id } = await ada();
        const { sessionId } = await signIn();
        const { account } = fixture.auth;
        expect((await account.update(id, { username: 'lovelace' }, { sessionId })).username).toBe('lovelace');
        fixture.clock.forward(601);
        const old = account.update(id, { username: 'thief' }, { sessionId });
        await expect(old).rejects.toMatchObject({ code: 'sign_in_too_old', details: { maxAge: 600 } });
        const wrong = account.update(id, { username: 'thief' }, { sessionId, currentPassword: 'wrong' });
        await expect(wrong).rejects.toMatchObject({ code: 'credentials_invalid' });
        const proven = await account.update(id, { email: 'ada@example.com' }, { currentPassword: password });
        expect(proven).toMatchObject({ username: 'lovelace', email: 'ada@example.com' });
      });

      it('let an administrator’s reset win over a change that began before it', async () => {
        const { id } = await ada();
        const change = fixture.auth.account.changePassword(id, {
          currentPassword: password,
          newPassword: 'thief, staple, horse, battery',
        });
        const reset = fixture.auth.users.setPassword(id, 'another staple, another horse');
        await Promise.allSettled([change, reset]);
        await reset;
        const byThief = fixture.auth.signIn({ username: 'ada', password: 'thief, staple, horse, battery' });
        const byAda = fixture.auth.signIn({ username: 'ada', password: 'another staple, another horse' });
        const outcomes = await Promise.allSettled([byThief, byAda]);
        expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
        const live = await fixture.auth.sessions.list(id);
        expect(live).toHaveLength(1);
      });

      it('take text with a NUL for what it is, whatever the database makes of it', async () => {
        const refusals = await Promise.all(
          [
            fixture.auth.signIn({ username: 'a\0b', password }),
            fixture.auth.users.find('a\0b'),
            fixture.auth.users.list({ q: 'a\0b' }),
            fixture.auth.sessions.end('a\0b'),
            fixture.auth.roles.get('a\0b'),
          ].map((call) => call.catch((error: unknown) => error)),
        );
        for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'value_invalid' });
      });

      it('P19: change the password only with the current one', async () => {
        const { id } = await ada();
        const wrong = fixture.auth.account.changePassword(id, { currentPassword: 'wrong', newPassword: password });
        await expect(wrong).rejects.toMatchObject({ code: 'credentials_invalid' });
      });
    });
  });
}
