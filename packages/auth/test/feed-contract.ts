import { createHash } from 'node:crypto';
import { verifyJwt } from '@sallyport/jwt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Auth } from '../src/auth.ts';
import { changeKinds } from '../src/changes/change.ts';
import type { FeedCredential } from '../src/feed/feed-credential.ts';
import type { FeedCursor } from '../src/feed/feed-cursor.ts';
import { halfSipHash } from '../src/feed/half-sip-hash.ts';
import type { FeedSnapshot } from '../src/feed/snapshots.ts';
import type { Store } from '../src/stores/store.ts';
import { anAuth, issuer, password, type AuthFixture } from './auth-fixture.ts';
import type { TestDatabase } from './databases.ts';
import { aCredential, cursorOf, FollowingGuardFixture } from './feed-fixture.ts';
import { readSnapshot, type ReadSnapshot } from './snapshot-reader.ts';

/** What the feed promises, whatever database is under it. Where there can be one, changes are made by another process's engine. */
export function describeFeed(name: string, start: () => Promise<TestDatabase>): void {
  describe(`the feed on ${name}`, () => {
    let database: TestDatabase;
    let store: Store;
    let node: AuthFixture;
    let elsewhere: Auth;
    let credential: FeedCredential;
    const isShared = !name.includes('memory');

    beforeAll(async () => {
      database = await start();
    });
    afterAll(() => database.stop());
    beforeEach(async () => {
      const { connect } = await database.create();
      store = connect();
      node = await anAuth({}, store);
      elsewhere = isShared ? (await anAuth({}, connect())).auth : node.auth;
      credential = await aCredential(elsewhere);
    });
    afterEach(async () => {
      await node.auth.close();
      if (isShared) await elsewhere.close();
    });

    async function follow(cursor: FeedCursor | undefined, lease = 30): Promise<FollowingGuardFixture> {
      return FollowingGuardFixture.follow(node.auth, { credential, guard: 'guard-1', lease, cursor });
    }

    const setRole = async (role = 'editor'): Promise<void> => void (await elsewhere.roles.set(role, ['todos:read']));

    async function snapshot(): Promise<ReadSnapshot> {
      return readSnapshot(bytesOf(await node.auth.feed.snapshot()));
    }

    describe('a stream', () => {
      it('greets, and goes on right after the cursor, whoever writes', async () => {
        const cursor = await cursorOf(node.auth);
        await setRole();
        const guard = await follow(cursor);
        await guard.until(({ sequences }) => sequences.length === 1);
        await Promise.all(Array.from({ length: 10 }, (_, index) => setRole(`role-${index}`)));
        await guard.until(({ sequences }) => sequences.length === 11);
        expect(guard.types[0]).toBe('hello');
        expect(guard.sequences).toEqual(Array.from({ length: 11 }, (_, index) => cursor.sequence + index + 1));
      });

      it.each([
        ['without a cursor', (): undefined => undefined],
        ['with a cursor of another lineage', ({ sequence }: FeedCursor) => ({ incarnation: 'another', sequence })],
        ['with a cursor beyond the head', (cursor: FeedCursor) => ({ ...cursor, sequence: cursor.sequence + 1 })],
      ])('%s sends for the snapshot', async (_, change) => {
        const guard = await follow(change(await cursorOf(node.auth)));
        await guard.untilOver();
        expect(guard.types).toEqual(['hello', 'resync']);
      });

      it('knows a cursor that another process has told before it was heard of here', async () => {
        const first = await follow(await cursorOf(node.auth));
        await first.until(({ types }) => types.length > 0);
        await setRole();
        const guard = await FollowingGuardFixture.follow(node.auth, {
          credential,
          guard: 'guard-2',
          lease: 30,
          cursor: await cursorOf(elsewhere),
        });
        guard.stream.ping({ n: 1, cursor: await cursorOf(elsewhere) });
        await guard.until(({ echoes }) => echoes.length === 1);
        expect(guard.types).not.toContain('resync');
      });

      it('sends for the snapshot where entries have been pruned', async () => {
        const cursor = await cursorOf(node.auth);
        const { id } = await elsewhere.users.create({ username: 'ada', password });
        await elsewhere.sessions.endAll(id);
        await setRole();
        const head = await cursorOf(node.auth);
        await store.changes.prune(0, 500, new Date('2030-01-01T00:00:00Z'));
        const guard = await follow(cursor);
        await guard.untilOver();
        expect(guard.types).toEqual(['hello', 'resync']);
        const other = await follow(head);
        other.stream.ping({ n: 1, cursor: head });
        await other.until(({ echoes }) => echoes.length === 1);
      });

      it('sends for the snapshot when it is further behind than is remembered', async () => {
        const cursor = await cursorOf(node.auth);
        const guard = await follow(cursor);
        await elsewhere.recover();
        const { sequence } = await cursorOf(node.auth);
        // The new lineage goes on far away, which is as good as having missed so many.
        await guard.untilOver();
        expect(guard.types).toEqual(['hello', 'resync']);
        const { incarnation } = await cursorOf(node.auth);
        for (const behind of [65_600, 900_000_000]) {
          const late = await follow({ incarnation, sequence: sequence - behind });
          await late.untilOver();
          expect(late.types).toEqual(['hello', 'resync']);
        }
      });

      it('echoes the last ping behind everything it has, with the age of that knowledge', async () => {
        const cursor = await cursorOf(node.auth);
        const guard = await follow(cursor);
        await setRole();
        guard.stream.ping({ n: 1, cursor });
        guard.stream.ping({ n: 2, cursor });
        await guard.until(({ echoes }) => echoes.some(({ n }) => n === 2));
        const [echo] = guard.echoes.slice(-1);
        const last = guard.events.findLastIndex(({ type }) => type === 'entries');
        if (last >= 0) expect(guard.events.findIndex((event) => event === echo)).toBeGreaterThan(last);
        expect(echo?.head).toBe(guard.sequences.at(-1) ?? cursor.sequence);
        expect(echo?.age).toBeGreaterThanOrEqual(0);
      });

      it('does not echo a ping that merely acknowledges', async () => {
        const cursor = await cursorOf(node.auth);
        const guard = await follow(cursor);
        guard.stream.ping({ n: 1, cursor, echo: false });
        await setRole();
        await guard.until(({ sequences }) => sequences.length > 0);
        guard.stream.ping({ n: 2, cursor });
        await guard.until(({ echoes }) => echoes.length > 0);
        expect(guard.echoes.map(({ n }) => n)).toEqual([2]);
      });

      it('of a guard that comes again takes the place of the one before', async () => {
        const cursor = await cursorOf(node.auth);
        const first = await follow(cursor);
        const second = await follow(cursor);
        await first.untilOver();
        const ping = { credential, guard: 'guard-1', n: 7, cursor };
        expect(await node.auth.feed.ping(ping)).toBe(true);
        await second.until(({ echoes }) => echoes.length === 1);
        second.stream.close();
        expect(await node.auth.feed.ping(ping)).toBe(false);
      });

      it('ends when its credential is revoked, by whatever process', async () => {
        const other = await aCredential(elsewhere, 'other');
        const cursor = await cursorOf(node.auth);
        const guard = await follow(cursor);
        const kept = await FollowingGuardFixture.follow(node.auth, {
          credential: other,
          guard: 'kept-one',
          lease: 30,
          cursor,
        });
        await elsewhere.feed.credentials.revoke('guard');
        await guard.untilOver();
        expect(guard.types.filter((type) => type !== 'hello')).toEqual([]);
        kept.stream.ping({ n: 1, cursor });
        await kept.until(({ echoes }) => echoes.length === 1);
      });

      it('says goodbye when the engine closes', async () => {
        const guard = await follow(await cursorOf(node.auth));
        await guard.until(({ types }) => types.length === 1);
        const closing = node.auth.feed.stop();
        await guard.untilOver();
        expect(closing).toBeUndefined();
        expect(guard.events.at(-1)).toEqual({ type: 'bye', retry: 250 });
      });
    });

    describe('a poll', () => {
      const poll = (cursor: FeedCursor | undefined, wait: number, signal?: AbortSignal) =>
        node.auth.feed.poll({ credential, guard: 'poller-1', lease: 30, cursor }, wait, signal);

      it('is answered at once when there is something, and otherwise when something comes', async () => {
        const cursor = await cursorOf(node.auth);
        const waiting = poll(cursor, 25);
        await setRole();
        const page = await waiting;
        expect(page).toMatchObject({ head: cursor.sequence + 1, resync: false, incarnation: cursor.incarnation });
        expect(page.entries.map(({ key }) => key)).toEqual(['editor']);
        expect((await poll(cursor, 25)).entries).toEqual(page.entries);
      });

      it('is answered after its time without anything', async () => {
        const cursor = await cursorOf(node.auth);
        expect(await poll(cursor, 0)).toMatchObject({ head: cursor.sequence, resync: false, entries: [] });
        expect(await poll(undefined, 25)).toMatchObject({ head: cursor.sequence, resync: true, entries: [] });
      });

      it('ends with the request, and when its credential is revoked', async () => {
        const cursor = await cursorOf(node.auth);
        const abort = new AbortController();
        const aborted = poll(cursor, 25, abort.signal);
        abort.abort();
        await aborted;
        const waiting = poll(cursor, 25);
        await elsewhere.feed.credentials.revoke('guard');
        await expect(waiting).rejects.toMatchObject({ code: 'feed_credential_invalid' });
      });
    });

    describe('a snapshot', () => {
      it('holds everything that is alive, and its proof', async () => {
        const { id } = await elsewhere.users.create({ username: 'ada', password });
        const { sessionId, accessToken } = await elsewhere.tokens.issue(id);
        await elsewhere.tokens.revokeAccessToken(accessToken);
        await elsewhere.sessions.end(sessionId);
        await elsewhere.sessions.endAll(id);
        await elsewhere.roles.set('editor', ['todos:read']);
        await elsewhere.roles.set('editor', ['todos:write']);
        await elsewhere.users.setRoles(id, ['editor']);
        const { incarnation, sequence: head } = await cursorOf(node.auth);
        const { header, packed, others, proof, proven } = await snapshot();
        expect(header).toEqual({
          v: 1,
          iss: issuer,
          inc: incarnation,
          head,
          iat: node.clock().getTime() / 1000,
          hash_key: expect.stringMatching(/^[\da-f]{16}$/) as string,
          token_lifetime: 900,
          count: 3,
        });
        const hashKey = Buffer.from(String(header['hash_key']), 'hex');
        const { changes } = await node.auth.changes.readSince(0);
        const expected = changes
          .filter(({ kind }) => [1, 2, 9].includes(kind))
          .map(({ kind, key, sequence, expiresAt }) => ({
            ...halfSipHash(hashKey, Buffer.concat([Buffer.from([kind]), Buffer.from(key)])),
            sequence,
            expiresAt,
          }));
        expect(expected).toHaveLength(3);
        expect(packed.toSorted((one, other) => one.sequence - other.sequence)).toEqual(expected);
        expect(others.map(([, kind, key, , flags, data]) => [kind, key, flags, data])).toEqual([
          [changeKinds.roleDefinition, 'admin', 1, { scopes: ['*'] }],
          [changeKinds.roleDefinition, 'user', 1, { scopes: [] }],
          [changeKinds.roleDefinition, 'editor', 1, { scopes: ['todos:write'] }],
          [changeKinds.userOverride, id, 1, { roles: ['editor'] }],
        ]);
        const { claims } = await verifyJwt(proof, {
          keys: node.auth.keys.source,
          typ: 'feed-snapshot+jwt',
          issuer,
          now: node.clock(),
          requiredClaims: [],
        });
        const sha256 = createHash('sha256').update(proven).digest('base64url');
        expect(claims).toEqual({ iss: issuer, iat: header['iat'], inc: incarnation, head, sha256 });
      });

      it('is the same for everybody until something happens, and knows what happens between the reads', async () => {
        const [one, other] = await Promise.all([node.auth.feed.snapshot(), node.auth.feed.snapshot()]);
        expect(one.chunks).toBe(other.chunks);
        expect((await node.auth.feed.snapshot()).chunks).toBe(one.chunks);
        const { id } = await elsewhere.users.create({ username: 'ada', password });
        for (let round = 1; round <= 3; round += 1) {
          await elsewhere.sessions.endAll(id);
          const { header, packed } = await snapshot();
          expect(header['head']).toBe((await cursorOf(elsewhere)).sequence);
          expect(packed).toHaveLength(round);
        }
      });

      it('leaves out what has expired', async () => {
        const { id } = await elsewhere.users.create({ username: 'ada', password });
        await elsewhere.sessions.endAll(id);
        await elsewhere.users.setRoles(id, []);
        expect((await snapshot()).header['count']).toBe(1);
        node.clock.forward(1_000);
        await setRole();
        const { header, others } = await snapshot();
        expect(header['count']).toBe(0);
        expect(others.map(([, kind]) => kind)).toEqual([7, 7, 7]);
      });

      it('is proven anew when the key that proved it is gone', async () => {
        const before = await snapshot();
        const { keyId = '' } = await node.auth.keys.signingKey();
        await node.auth.keys.revoke(keyId);
        const after = await snapshot();
        expect(after.proof.split('.')[0]).not.toBe(before.proof.split('.')[0]);
        expect(after.others.map(([, kind, key]) => [kind, key])).toContainEqual([changeKinds.keyDead, keyId]);
      });
    });

    describe('a log that does not go on', () => {
      it('is noticed, told of, and begun anew by everybody', async () => {
        const guard = await follow(await cursorOf(node.auth));
        const { header } = await snapshot();
        const report = await elsewhere.recover();
        await guard.untilOver();
        expect(guard.types.at(-1)).toBe('resync');
        const after = await snapshot();
        expect(after.header).toMatchObject({ inc: report.incarnation });
        expect(after.header['hash_key']).not.toBe(header['hash_key']);
        expect(after.others.map(([, kind]) => kind)).toEqual(expect.arrayContaining([5, 6, 7]));
        expect(node.events).toContainEqual(
          expect.objectContaining({ type: 'change_log_restarted', reason: 'recovered' }),
        );
      });
    });
  });
}

function bytesOf({ chunks, length }: FeedSnapshot): Buffer {
  const bytes = Buffer.concat(chunks);
  expect(bytes.byteLength).toBe(length);
  return bytes;
}
