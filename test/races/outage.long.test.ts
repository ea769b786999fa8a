import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EmptyDatabase } from '../../packages/auth/test/databases.ts';
import { type PostgresServer, startPostgres } from '../../packages/auth/test/postgres-server.ts';
import { type Answer, get, unlessLost } from '../http-client.ts';
import { Client, expectGaplessLog, isNotNow } from './clients.ts';
import { type Fleet, held, heldIn, refreshAt, startFleet } from './fleet.ts';
import { Load } from './load.ts';
import { patience, repetitions } from './repetitions.ts';

const clientCount = repetitions(6, 16);
const stops = repetitions(1, 12);
/** How long the database stands still, in milliseconds: in the long form longer than a statement may take. */
const standstill = repetitions(2_000, 20_000);
const slowClients = 500;

describe('R7 a PostgreSQL that is away, under three servers that go on', () => {
  let database: PostgresServer;
  let empty: EmptyDatabase;
  let fleet: Fleet;
  let clients: Client[];
  beforeAll(async () => {
    database = await startPostgres();
    empty = await database.create();
    fleet = await startFleet(empty);
    clients = await Client.open(fleet, clientCount);
  });
  afterAll(async () => {
    await fleet.stop();
    await database.stop();
  });

  const everyServer = (path: string): Promise<Answer[]> =>
    Promise.all(fleet.servers.map(({ url }) => get(`${url}${path}`)));
  const statuses = async (path: string): Promise<number[]> => (await everyServer(path)).map(({ status }) => status);
  const untilReady = (): Promise<void> =>
    vi.waitFor(async () => expect(await statuses('/readyz')).toEqual([200, 200, 200]), { timeout: 60_000 });

  async function underLoad(happening: (load: Load) => Promise<void>): Promise<void> {
    await Load.over(clients, happening);
    for (const client of clients) await client.verify();
    await expectGaplessLog(fleet);
    expect(fleet.servers.map(({ program }) => program.child.exitCode)).toEqual([null, null, null]);
  }

  it(
    `loses nothing acknowledged and ends no session when it is stopped at once, and comes back`,
    { timeout: patience },
    async () => {
      await underLoad(async (load) => {
        for (let stop = 0; stop < stops; stop += 1) {
          await load.until((calls) => calls.answered > 40);
          const before = load.begin();
          await database.crash();
          await load.until((calls) => calls.putOff > 20);
          const answers = await everyServer('/readyz');
          expect(answers.map(isNotNow)).toEqual([true, true, true]);
          expect(await statuses('/livez')).toEqual([200, 200, 200]);
          await delay(Math.random() * repetitions(300, 3000));
          await database.start();
          const returned = performance.now();
          await untilReady();
          const recovery = performance.now() - returned;
          load.begin();
          await load.until((calls) => calls.answered > 40);
          const after = load.begin();
          expect([before.lost, after.lost]).toEqual([0, 0]);
          // Once it is ready, nobody is put off any more.
          expect(after.putOff).toBe(0);
          console.log(
            `ready again ${recovery.toFixed(0)} ms after PostgreSQL; p99 before ${before.p99()}, after ${after.p99()}`,
          );
        }
      });
    },
  );

  it.runIf(existsSync('/proc/self/task'))(
    `answers and ends no session when it stands still for ${standstill / 1000} s`,
    { timeout: patience },
    async () => {
      await underLoad(async (load) => {
        await load.until((calls) => calls.answered > 40);
        database.freeze();
        const stillUntil = performance.now() + standstill;
        load.begin();
        expect(await statuses('/livez')).toEqual([200, 200, 200]);
        // The statements that nobody answered have been given up by then, and whoever comes is told at once.
        if (standstill > 15_000) {
          await delay(15_000);
          const asked = performance.now();
          expect((await everyServer('/readyz')).map(isNotNow)).toEqual([true, true, true]);
          expect(performance.now() - asked).toBeLessThan(6000);
        }
        await delay(stillUntil - performance.now());
        database.thaw();
        await untilReady();
        await load.until((calls) => calls.answered > 40);
        console.log(`the longest call took ${load.begin().longest.toFixed(0)} ms`);
      });
    },
  );

  it(`tells the truth about itself while ${slowClients} clients wait for a lock`, { timeout: patience }, async () => {
    const { id } = await fleet.auth.users.create({ username: 'slow', password: 'plum-otter-violin-91' });
    const { access } = held(await fleet.auth.tokens.issue(id));
    const operator = new pg.Client({ connectionString: empty.url });
    operator.on('error', () => undefined);
    await operator.connect();
    await operator.query('begin');
    await operator.query('lock table sessions in access exclusive mode');
    const lock = { isHeld: true };
    const waiting = Array.from({ length: slowClients }, async () => {
      while (lock.isHeld) {
        const answer = await unlessLost(() => get(`${fleet.next()}/me/sessions`, access));
        if (answer !== undefined && !isNotNow(answer)) expect(answer.status).toBe(200);
      }
    });
    try {
      // Nobody gets a connection, so the truth is: not ready. Each has to tell it while they wait, not after them. It need
      // not be all at one instant: whenever waits run out together, a connection is free for whoever comes next.
      await Promise.all(
        fleet.servers.map(({ url }) =>
          vi.waitFor(async () => expect(isNotNow(await get(`${url}/readyz`))).toBe(true), { timeout: 60_000 }),
        ),
      );
      expect(await statuses('/livez')).toEqual([200, 200, 200]);
    } finally {
      lock.isHeld = false;
      await operator.query('rollback');
      await operator.end();
    }
    await Promise.all(waiting);
    await untilReady();
    expect((await get(`${fleet.next()}/me/sessions`, access)).status).toBe(200);
  });

  it(`stays ready while ${slowClients} clients never finish what they ask`, { timeout: patience }, async () => {
    const { id } = await fleet.auth.users.create({ username: 'patient', password: 'plum-otter-violin-91' });
    const pair = await fleet.auth.tokens.issue(id);
    const sockets = await Promise.all(Array.from({ length: slowClients }, () => halfARefresh(fleet.next())));
    expect(await statuses('/readyz')).toEqual([200, 200, 200]);
    expect(heldIn(await refreshAt(fleet.next(), pair.refreshToken))).toBeDefined();
    for (const socket of sockets) socket.destroy();
  });
});

/** A request whose body does not end. */
function halfARefresh(url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', reject);
    const head =
      'POST /token/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n';
    socket.write(`${head}{"refresh_token":"`, () => {
      socket.removeAllListeners('error').on('error', () => undefined);
      resolve(socket);
    });
  });
}
