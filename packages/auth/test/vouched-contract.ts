import { verifyAccessToken, type AccessTokenClaims } from '@sallyport/jwt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeKinds } from '../src/changes/change.ts';
import type { TokenPair } from '../src/tokens/token-pair.ts';
import { anAuth, issuer, password, type AuthFixture } from './auth-fixture.ts';
import type { TestDatabase } from './databases.ts';

/** What the engine promises an application that keeps its own users, whatever database is under it. */
export function describeVouching(name: string, start: () => Promise<TestDatabase>): void {
  describe(`tokens without accounts, on ${name}`, () => {
    let database: TestDatabase;
    let fixture: AuthFixture;

    beforeAll(async () => {
      database = await start();
    });
    afterAll(() => database.stop());
    beforeEach(async () => {
      fixture = await anAuth({}, (await database.create()).connect());
      await fixture.auth.roles.set('editor', ['todos:read', 'todos:write']);
      await fixture.auth.roles.set('reader', ['todos:read']);
    });
    afterEach(() => fixture.auth.close());

    async function claimsOf(pair: TokenPair): Promise<AccessTokenClaims> {
      const options = { keys: fixture.auth.keys.source, issuer, audience: issuer, now: fixture.clock() };
      return (await verifyAccessToken(pair.accessToken, options)).claims;
    }

    const isActive = async (token: string): Promise<boolean> => (await fixture.auth.introspect(token)).active;
    const count = (type: string): number => fixture.events.filter((event) => event.type === type).length;
    const refused = { code: 'credentials_invalid', details: {} };

    describe('signing in on the word of the application', () => {
      it('gives tokens for the application’s own id, with the roles it states', async () => {
        const pair = await fixture.auth.tokens.issueFor({ subject: '42', roles: ['editor'] });
        expect(pair).toMatchObject({
          userId: '42',
          scope: 'todos:read todos:write',
          expiresIn: 900,
          refreshExpiresIn: 30 * 86_400,
        });
        expect(await claimsOf(pair)).toMatchObject({ sub: '42', roles: ['editor'], sid: pair.sessionId });
        expect(await fixture.auth.users.get('42')).toMatchObject({
          username: '42',
          roles: ['editor'],
          disabled: false,
        });
      });

      it('gives the role user where none is stated, and later what the account has', async () => {
        expect(await claimsOf(await fixture.auth.tokens.issueFor({ subject: '42' }))).toMatchObject({
          roles: ['user'],
        });
        await fixture.auth.users.setRoles('42', ['reader']);
        expect(await claimsOf(await fixture.auth.tokens.issueFor({ subject: '42' }))).toMatchObject({
          roles: ['reader'],
        });
        expect([count('user_created'), count('roles_set'), count('signed_in')]).toEqual([1, 1, 2]);
      });

      it('S9 gives the running sessions the roles of the latest sign-in too', async () => {
        const before = await fixture.auth.tokens.issueFor({ subject: '42', roles: ['reader', 'editor'] });
        const { head } = await fixture.auth.changes.readSince(0);
        await fixture.auth.tokens.issueFor({ subject: '42', roles: ['editor', 'reader'] });
        expect((await fixture.auth.changes.readSince(head)).changes).toEqual([]);
        await fixture.auth.tokens.issueFor({ subject: '42', roles: ['reader'] });
        const { changes } = await fixture.auth.changes.readSince(head);
        expect(changes).toMatchObject([{ kind: changeKinds.userOverride, key: '42', data: { roles: ['reader'] } }]);
        expect((await fixture.auth.refresh({ refreshToken: before.refreshToken })).scope).toBe('todos:read');
      });

      it('narrows the scope, and never widens it', async () => {
        const pair = await fixture.auth.tokens.issueFor({ subject: '42', roles: ['editor'], scope: 'todos:read' });
        expect(await claimsOf(pair)).toMatchObject({ scope: 'todos:read', limited: true });
        const wider = { subject: '43', roles: ['reader'], scope: 'todos:write' };
        await expect(fixture.auth.tokens.issueFor(wider)).rejects.toMatchObject({ code: 'scope_invalid' });
        await expect(fixture.auth.users.get('43')).rejects.toMatchObject({ code: 'user_not_found' });
      });

      it('refuses roles that do not exist, and leaves no account behind', async () => {
        const misspelt = { subject: '42', roles: ['edtior'] };
        await expect(fixture.auth.tokens.issueFor(misspelt)).rejects.toMatchObject({ code: 'role_not_found' });
        await expect(fixture.auth.users.get('42')).rejects.toMatchObject({ code: 'user_not_found' });
      });

      it('S4 makes one account for twenty sign-ins at once, with the roles of one of them', async () => {
        const roles = [['reader'], ['editor'], ['reader', 'editor'], []];
        const pairs = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            fixture.auth.tokens.issueFor({ subject: '42', roles: roles[index % roles.length] }),
          ),
        );
        expect(new Set(pairs.map(({ sessionId }) => sessionId)).size).toBe(20);
        expect(count('user_created')).toBe(1);
        expect(roles.map((each) => each.toSorted())).toContainEqual((await fixture.auth.users.get('42')).roles);
        expect(await fixture.auth.sessions.list('42')).toHaveLength(20);
      });
    });

    describe('the id of such an account', () => {
      it('is not the name of a client, whose own tokens would look the same', async () => {
        const pair = fixture.auth.tokens.issueFor({ subject: 'first-party' });
        await expect(pair).rejects.toMatchObject({ code: 'value_invalid', details: { field: 'subject' } });
      });

      it('is compared exactly, and keeps its place in the list of users', async () => {
        const subjects = ['Ada', 'ada', 'ADA', 'zoe'];
        for (const subject of subjects) await fixture.auth.tokens.issueFor({ subject });
        await fixture.auth.users.register({ username: 'ada', password });
        const listed: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await fixture.auth.users.list({ limit: 2, cursor });
          listed.push(...page.items.map(({ username }) => username));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(listed.toSorted()).toEqual([...subjects, 'ada'].toSorted());
        const { items } = await fixture.auth.users.list({ q: 'ADA' });
        expect(items).toHaveLength(4);
      });

      it('is never that of an account with a password: the application has not signed that user in', async () => {
        const { id } = await fixture.auth.users.register({ username: 'ada', password });
        const taken = fixture.auth.tokens.issueFor({ subject: id, roles: ['editor'] });
        await expect(taken).rejects.toMatchObject({ code: 'value_invalid', details: { field: 'subject' } });
        expect(await fixture.auth.users.get(id)).toMatchObject({ roles: ['user'] });
      });

      it('cannot be registered away: a name of the same letters is another account', async () => {
        const { id } = await fixture.auth.users.register({ username: 'ada', password });
        const pair = await fixture.auth.tokens.issueFor({ subject: 'ada' });
        expect(pair.userId).toBe('ada');
        expect((await fixture.auth.signIn({ username: 'ada', password })).userId).toBe(id);
        const other = fixture.auth.users.register({ username: ':eve:eve', password });
        await expect(other).rejects.toMatchObject({ code: 'value_invalid' });
      });
    });

    describe('P6 a password for such an account', () => {
      it('does not exist: nobody signs in as any spelling of it', async () => {
        await fixture.auth.tokens.issueFor({ subject: 'ada' });
        for (const username of ['ada', ':ada:ada', ':ADA:ada', '']) {
          for (const guess of ['', password]) {
            await expect(fixture.auth.signIn({ username, password: guess })).rejects.toMatchObject(refused);
          }
        }
        const reasons = fixture.events.flatMap((event) => (event.type === 'sign_in_refused' ? [event.reason] : []));
        expect(new Set(reasons)).toEqual(new Set(['no_password', 'unknown_user']));
      });

      it('cannot be set by an administrator, nor changed by the user', async () => {
        await fixture.auth.tokens.issueFor({ subject: 'ada' });
        const set = fixture.auth.users.setPassword('ada', password);
        await expect(set).rejects.toMatchObject({ code: 'passwordless_account' });
        const input = { currentPassword: '', newPassword: password };
        await expect(fixture.auth.account.changePassword('ada', input)).rejects.toMatchObject(refused);
        const update = fixture.auth.account.update('ada', { email: 'a@example.com' }, { currentPassword: '' });
        await expect(update).rejects.toMatchObject(refused);
      });
    });

    describe('everything else works as for any account', () => {
      it('S8 ends one session, or all of them', async () => {
        const [one, other, third] = await Promise.all(
          ['1', '2', '3'].map(() => fixture.auth.tokens.issueFor({ subject: '42' })),
        );
        await fixture.auth.revoke(one?.accessToken ?? '');
        expect([await isActive(one?.accessToken ?? ''), await isActive(other?.accessToken ?? '')]).toEqual([
          false,
          true,
        ]);
        expect(await fixture.auth.sessions.endAll('42')).toBe(2);
        expect(await isActive(third?.accessToken ?? '')).toBe(false);
      });

      it('S9 disables and deletes; a new sign-in makes a new account of a deleted one', async () => {
        const pair = await fixture.auth.tokens.issueFor({ subject: '42', roles: ['editor'] });
        await fixture.auth.users.disable('42');
        expect(await isActive(pair.accessToken)).toBe(false);
        await expect(fixture.auth.tokens.issueFor({ subject: '42', roles: ['reader'] })).rejects.toMatchObject(refused);
        expect(await fixture.auth.users.get('42')).toMatchObject({ roles: ['editor'] });
        await fixture.auth.users.delete('42');
        await fixture.auth.tokens.issueFor({ subject: '42' });
        expect(await fixture.auth.users.get('42')).toMatchObject({ roles: ['user'], disabled: false });
        expect(await isActive(pair.accessToken)).toBe(false);
      });

      it('S18 counts for no administrator, and is none that has to stay', async () => {
        await fixture.auth.tokens.issueFor({ subject: 'chief', roles: ['admin'] });
        expect(await fixture.auth.users.hasAdministrator()).toBe(false);
        expect((await fixture.auth.tokens.issueFor({ subject: 'chief', roles: ['user'] })).scope).toBe('');
        await fixture.auth.tokens.issueFor({ subject: 'chief', roles: ['admin'] });
        const { id } = await fixture.auth.users.create({ username: 'root', password, roles: ['admin'] });
        await expect(fixture.auth.users.disable(id)).rejects.toMatchObject({ code: 'last_administrator' });
        await fixture.auth.users.setRoles('chief', ['user']);
        await fixture.auth.users.delete('chief');
      });

      it('S6 tells the life of a refresh token, which never reaches beyond that of its session', async () => {
        let pair = await fixture.auth.tokens.issueFor({ subject: '42' });
        for (let elapsed = 0; elapsed < 160; elapsed += 20) {
          fixture.clock.forward(20 * 86_400);
          pair = await fixture.auth.refresh({ refreshToken: pair.refreshToken });
        }
        expect(pair.refreshExpiresIn).toBe(20 * 86_400);
      });
    });
  });
}
