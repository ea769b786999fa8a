import { rmSync } from 'node:fs';
import { formatCursor } from '@sallyport/auth';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testDatabases, type EmptyDatabase, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { EventStream } from '../event-stream.ts';
import { get, post, signUp, type Tokens } from '../http-client.ts';
import { type Fleet, startFleet } from '../races/fleet.ts';
import { runSallyport, temporaryFolder } from '../server-process.ts';

// Processes and databases start here, on machines that may be busy with others.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const leaseSeconds = 30;

for (const { name, start } of testDatabases.filter((each) => !each.name.includes('memory'))) {
  describe(`the feed of several servers on ${name}`, () => {
    let database: TestDatabase;
    let empty: EmptyDatabase;
    let fleet: Fleet;
    let credential: string;
    let ada: Tokens;
    let adaId: string;
    let lastGuard = 0;
    const streams: EventStream[] = [];

    beforeAll(async () => {
      database = await start();
      empty = await database.create();
      fleet = await startFleet(empty, () => ({ LOG_LEVEL: 'trace' }));
      ({ credential } = await fleet.auth.feed.credentials.create('todos'));
      ada = await signUp(urlAt(0), 'ada');
      adaId = (await fleet.auth.users.find('ada')).id;
    });
    afterAll(async () => {
      for (const stream of streams) stream.close();
      await fleet.stop();
      await database.stop();
    });

    const urlAt = (index: number): string => fleet.servers[index]?.url ?? '';

    /** Runs the command line in a folder of its own, on the database of the servers. */
    async function sallyport(line: string): Promise<unknown> {
      const folder = temporaryFolder();
      try {
        const { status, stdout, stderr } = await runSallyport([...line.split(' '), '--json'], folder, fleet.env);
        if (status !== 0) throw new Error(stderr);
        return JSON.parse(stdout) as unknown;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }

    async function cursorNow(): Promise<string> {
      const { incarnation, head } = await fleet.auth.changes.readSince(Number.MAX_SAFE_INTEGER);
      return formatCursor({ incarnation, sequence: head });
    }

    interface Guard {
      readonly id: string;
      readonly stream: EventStream;
    }

    async function aGuard(server: number, cursor?: string, id?: string): Promise<Guard> {
      lastGuard += 1;
      const named = id ?? `guard-number-${String(lastGuard)}`;
      const query = `guard=${named}&lease=${String(leaseSeconds)}&cursor=${cursor ?? (await cursorNow())}`;
      const stream = await EventStream.open(urlAt(server), credential, query);
      streams.push(stream);
      await stream.until(({ names }) => names.includes('hello'));
      return { id: named, stream };
    }

    async function ping(server: number, guard: string, n: number, cursor: string): Promise<number> {
      const response = await fetch(`${urlAt(server)}/feed/ping`, {
        method: 'POST',
        headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
        body: JSON.stringify({ guard, n, cursor }),
      });
      return response.status;
    }

    /** Acknowledges what is to be acknowledged, as soon as it comes. */
    async function obey(server: number, { id, stream }: Guard): Promise<void> {
      let seen = stream.events.length;
      while (!stream.isOver) {
        await stream.until(({ events, isOver }) => isOver || events.length > seen).catch(() => undefined);
        const news = stream.events.slice(seen).filter((event) => event.name === 'c');
        seen = stream.events.length;
        const isAsked = news.some(({ data }) => ((data as readonly number[])[4] ?? 0) & 2);
        if (isAsked) await ping(server, id, seen, news.at(-1)?.id ?? '');
      }
    }

    it('confirms a revocation from wherever it is made when the guards of every server know', async () => {
      const guards = await Promise.all([aGuard(0), aGuard(1), aGuard(2)]);
      guards.forEach((guard, server) => void obey(server, guard));
      const known = { acknowledged: 3, lapsed: 0, pending: 0, milliseconds: expect.any(Number) as number };
      const { accessToken, refreshToken } = await fleet.auth.tokens.issue(adaId);
      await expect
        .poll(() => sallyport(`sessions revoke --user ada --confirm`), { timeout: 120_000 })
        .toEqual({ revoked: expect.any(Number) as number, confirmation: known });
      const own = await fleet.auth.tokens.issue(adaId);
      const out = await fetch(`${urlAt(1)}/me/sessions?confirm=true`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${own.accessToken}` },
      });
      expect(await out.json()).toEqual({ revoked: 1, confirmation: known });
      const last = await fleet.auth.tokens.issue(adaId);
      const revoked = await post(`${urlAt(2)}/token/revoke`, { token: last.refreshToken, confirm: 'true' });
      expect(revoked.body).toEqual({ confirmation: known });
      for (const token of [accessToken, refreshToken, own.accessToken, last.accessToken]) {
        const { body } = await introspect(token);
        expect(body).toEqual({ active: false });
      }
      for (const { stream } of guards) stream.close();
    });

    it('brings what the command line, the HTTP interface and the library change to every server’s guards', async () => {
      const guards = await Promise.all([aGuard(0), aGuard(1), aGuard(2)]);
      const kinds = async (count: number): Promise<void> => {
        for (const { stream } of guards) await stream.until(({ sequences }) => sequences.length === count);
      };
      await sallyport('roles set editor todos:write');
      await kinds(1);
      await sallyport('users set-roles ada editor');
      await kinds(2);
      await sallyport('sessions revoke --user ada');
      await kinds(3);
      await fleet.auth.roles.set('viewer', ['todos:read']);
      await kinds(4);
      const { accessToken } = await fleet.auth.tokens.issue(adaId);
      expect((await post(`${urlAt(1)}/token/revoke`, { token: accessToken })).status).toBe(200);
      await kinds(5);
      await sallyport('keys rotate --compromised');
      await kinds(6);
      for (const { stream } of guards) {
        const entries = stream.named('c').map(({ data }) => (data as readonly unknown[]).slice(1, 3));
        expect(entries.slice(0, 4)).toEqual([
          [7, 'editor'],
          [8, adaId],
          [2, adaId],
          [7, 'viewer'],
        ]);
        expect(entries.slice(4).map(([kind]) => kind)).toEqual([1, 6]);
        stream.close();
      }
    });

    const introspect = (token: string) => post(`${urlAt(0)}/token/introspect`, { token }, { token: credential });

    it('goes on at another server when one is killed, without a gap', async () => {
      const cursor = await cursorNow();
      const { id, stream } = await aGuard(1, cursor);
      const writing = Promise.all(
        Array.from({ length: 20 }, (_, index) => fleet.auth.roles.set(`kill-${String(index)}`, [])),
      );
      await stream.until(({ sequences }) => sequences.length > 0);
      fleet.servers[1]?.program.child.kill('SIGKILL');
      await stream.untilOver();
      await writing;
      // All of them may have come before it was killed: this one cannot have.
      await fleet.auth.roles.set('killed', []);
      const lastId = stream.named('c').at(-1)?.id ?? '';
      const { stream: next } = await aGuard(2, lastId, id);
      const first = Number(cursor.split('.')[1]);
      await next.until(({ sequences }) => sequences.at(-1) === first + 21);
      expect([...stream.sequences, ...next.sequences]).toEqual(
        Array.from({ length: 21 }, (_, index) => first + index + 1),
      );
      next.close();
      await fleet.restart(1);
    });

    it('says goodbye when a server stops, and lets it stop at once', async () => {
      const { stream } = await aGuard(2);
      const stopped = fleet.servers[2]?.program.stop('SIGTERM');
      await stream.untilOver();
      expect(stream.events.at(-1)).toEqual({ name: 'bye', id: undefined, data: { retry: 250 } });
      expect(await stopped).toBe(0);
      await fleet.restart(2);
    });

    it('ends what a revoked credential has opened, at every server', async () => {
      const { credential: other } = (await sallyport('feed-credentials create other')) as { credential: string };
      const open = (server: number): Promise<EventStream> =>
        EventStream.open(urlAt(server), other, `guard=revoked-guard&lease=30&cursor=${ada.token_type}.1`);
      await Promise.all([0, 1, 2].map(async (server) => (await open(server)).untilOver()));
      const cursor = await cursorNow();
      const opened = await Promise.all(
        [0, 1, 2].map((server) =>
          EventStream.open(urlAt(server), other, `guard=revoked-guard&lease=30&cursor=${cursor}`),
        ),
      );
      expect(await sallyport('feed-credentials revoke other')).toEqual({ revoked: 'other' });
      await Promise.all(opened.map((stream) => stream.untilOver()));
      expect(opened.map(({ response }) => response.statusCode)).toEqual([200, 200, 200]);
      expect((await get(`${urlAt(0)}/feed/snapshot`, other)).status).toBe(401);
      expect(
        ((await sallyport('feed-credentials list')) as { items: { name: string }[] }).items.map((each) => each.name),
      ).toEqual(['todos']);
    });

    it('S19 leaves no credential in any log, and no line for each ping', async () => {
      const { id, stream } = await aGuard(0);
      const before = fleet.servers[0]?.program.output() ?? '';
      expect(await ping(0, id, 1, await cursorNow())).toBe(204);
      await get(`${urlAt(0)}/feed?guard=${id}&lease=30&cursor=${credential}`, credential);
      await expect.poll(() => fleet.servers[0]?.program.output().slice(before.length)).toMatch(/"path":"\/feed"/);
      const logs = fleet.servers.map(({ program }) => program.output()).join('');
      expect(logs).toMatch(/"event":"feed_credential_created"|"path":"\/feed"/);
      expect(logs).not.toContain(credential.slice(18));
      const pings = logs.split('\n').filter((line) => line.includes('"/feed/ping"') && line.includes('"status":204'));
      expect(pings.length).toBeGreaterThan(0);
      for (const line of pings) expect(line).toContain('"level":"debug"');
      stream.close();
    });
  });
}
