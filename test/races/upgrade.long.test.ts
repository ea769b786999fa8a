import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmptyDatabase, testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { get, password, post, signIn, tokensIn } from '../http-client.ts';
import { runSallyport, type ServerProcess, startServer } from '../server-process.ts';
import { Client, expectGaplessLog } from './clients.ts';
import { type Fleet, fleetEnvironment, heldIn, refreshAt, startFleet } from './fleet.ts';
import { type LaterVersion, makeLaterVersion } from './later-version.ts';
import { Load } from './load.ts';
import { patience, repetitions } from './repetitions.ts';

const clientCount = repetitions(4, 16);
const calls = repetitions(30, 600);

const kinds = testDatabases.filter(({ name }) => !name.includes('memory'));

describe.each(kinds)(
  'R13 a later version that starts on $name while two servers of this one serve',
  ({ name, start }) => {
    let database: TestDatabase;
    let empty: EmptyDatabase;
    let version: LaterVersion;
    let fleet: Fleet;
    let later: ServerProcess | undefined;
    beforeAll(async () => {
      version = makeLaterVersion(`later-on-${name.replaceAll(' ', '-').toLowerCase()}`);
      database = await start();
      empty = await database.create();
      fleet = await startFleet(empty, undefined, 2);
    });
    afterAll(async () => {
      await later?.remove();
      await fleet.stop();
      await database.stop();
      version.remove();
    });

    const bothServe = (): readonly string[] => {
      if (later === undefined) throw new Error('the later version did not start');
      return [later.url, fleet.next()];
    };

    it('disturbs nobody, and loses nothing', { timeout: patience }, async () => {
      const clients = await Client.open(fleet, clientCount);
      await Load.over(clients, async (load) => {
        await load.until(({ answered }) => answered > calls);
        load.begin();
        later = await startServer(fleetEnvironment(empty), undefined, version.main);
        await load.until(({ answered }) => answered > calls);
        expect(load.begin().lost).toBe(0);
      });
      for (const client of clients) await client.verify();
      await expectGaplessLog(fleet);
    });

    it('takes the tokens that this one issued, and the other way round', async () => {
      await fleet.auth.users.create({ username: 'ada', password });
      for (const issuer of bothServe()) {
        let tokens = await signIn(issuer, 'ada');
        for (const url of bothServe()) {
          expect((await get(`${url}/me`, tokens.access_token)).body).toMatchObject({ username: 'ada' });
          tokens = tokensIn(await refreshAt(url, tokens.refresh_token));
          expect((await get(`${url}/me/sessions`, tokens.access_token)).status).toBe(200);
        }
        await post(`${issuer}/token/revoke`, { token: tokens.refresh_token });
        for (const url of bothServe()) {
          expect(heldIn(await refreshAt(url, tokens.refresh_token))).toBeUndefined();
          expect((await get(`${url}/me`, tokens.access_token)).status).toBe(401);
        }
      }
    });

    it('makes this one refuse to start on its database, and to migrate it, and say what to do', async () => {
      const [server] = fleet.servers;
      for (const command of ['serve', 'migrate']) {
        const { status, stderr } = await runSallyport(
          [command],
          server?.folder ?? '',
          fleetEnvironment(empty, { PORT: '0' }),
        );
        expect(status).toBe(2);
        expect(stderr).toMatch(
          /has schema version \d+, this program knows \d+: .*newer Sallyport; upgrade this program/,
        );
      }
      // Those that run go on all the same.
      expect((await get(`${fleet.next()}/readyz`)).status).toBe(200);
    });
  },
);
