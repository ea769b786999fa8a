import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmptyDatabase, testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { unlessLost } from '../http-client.ts';
import { type Ask, Client, expectGaplessLog } from './clients.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { patience, repetitions } from './repetitions.ts';

const count = repetitions(4, 8);
const calls = repetitions(40, 2000);
/** How many calls are acknowledged between two kills, about. */
const between = repetitions(15, 80);

for (const { name, start } of testDatabases.filter((each) => !each.name.includes('memory'))) {
  describe(`kill -9 of servers on ${name}`, () => {
    let database: TestDatabase;
    let empty: EmptyDatabase;
    let fleet: Fleet;
    beforeAll(async () => {
      database = await start();
      empty = await database.create();
      fleet = await startFleet(empty);
    });
    afterAll(async () => {
      await fleet.stop();
      await database.stop();
    });

    it(
      `S5, S8, S9, R5: loses nothing acknowledged in ${calls} mixed calls, and leaves nothing half done`,
      { timeout: patience },
      async () => {
        let [acknowledged, kills, untilKill] = [0, 0, between];
        let killing: Promise<void> = Promise.resolve();
        const ask: Ask = async (call) => {
          const answer = await unlessLost(call);
          if (answer === undefined) return undefined;
          acknowledged += 1;
          untilKill -= 1;
          if (untilKill > 0) return answer;
          untilKill = Math.ceil(between * (0.5 + Math.random()));
          kills += 1;
          killing = killing.then(() => fleet.restart(kills % fleet.servers.length));
          return answer;
        };

        const clients = await Client.open(fleet, count);
        await Promise.all(
          clients.map(async (client) => {
            while (acknowledged < calls) await client.act(ask);
          }),
        );
        await killing;
        expect(kills).toBeGreaterThan(1);
        for (const client of clients) await client.verify();
        console.log(`${name}: ${String(acknowledged)} calls acknowledged, ${String(kills)} kills`);
      },
    );

    it('R5: leaves a change log without gaps, and a sound file', async () => {
      await expectGaplessLog(fleet);
      if (!empty.url.startsWith('file:')) return;
      const file = new DatabaseSync(empty.url.slice('file:'.length));
      expect(file.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      file.close();
    });
  });
}
