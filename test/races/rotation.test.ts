import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type EmptyDatabase, testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { type Fleet, held, heldIn, logLengths, outcomesOf, refreshAt, startFleet, statusesOf } from './fleet.ts';
import { patience, repetitions } from './repetitions.ts';

const presentations = 50;
const rounds = repetitions(3, 200);

for (const { name, start } of testDatabases.filter((each) => !each.name.includes('memory'))) {
  describe(`three servers on ${name}`, () => {
    let database: TestDatabase;
    let empty: EmptyDatabase;
    let fleet: Fleet;
    let userId: string;
    beforeAll(async () => {
      database = await start();
      empty = await database.create();
      fleet = await startFleet(empty);
      ({ id: userId } = await fleet.auth.users.create({ username: 'ada', password: 'plum-otter-violin-91' }));
    });
    afterAll(async () => {
      await fleet.stop();
      await database.stop();
    });

    it(
      `S4: make one rotation and one successor of ${presentations} presentations at once, ${rounds} times`,
      { timeout: patience },
      async () => {
        const store = empty.connect();
        for (let round = 0; round < rounds; round += 1) {
          const pair = await fleet.auth.tokens.issue(userId);
          const from = logLengths(fleet);
          const answers = await Promise.all(
            Array.from({ length: presentations }, () => refreshAt(fleet.next(), pair.refreshToken)),
          );
          const successors = answers.map((answer) => heldIn(answer)?.refresh);
          expect(new Set(successors).size).toBe(1);
          expect(await store.sessions.find(pair.sessionId)).toMatchObject({
            generation: 2,
            base: 1,
            endedAt: undefined,
          });
          const outcomes = await vi.waitFor(() => {
            const found = outcomesOf(fleet, pair.sessionId, from);
            expect(found).toHaveLength(presentations);
            return found;
          });
          expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1);
          expect(new Set(outcomes)).toEqual(
            new Set(['rotated', 'raced', ...outcomes.filter((each) => each === 'retried')]),
          );
          expect(heldIn(await refreshAt(fleet.next(), successors[0] ?? ''))).toBeDefined();
        }
        await store.close();
      },
    );

    it('S2: end the session everywhere when a token from behind comes to any of them', async () => {
      const pair = await fleet.auth.tokens.issue(userId);
      const second = heldIn(await refreshAt(fleet.next(), pair.refreshToken));
      const third = heldIn(await refreshAt(fleet.next(), second?.refresh ?? ''));
      expect(heldIn(await refreshAt(fleet.next(), pair.refreshToken))).toBeUndefined();
      expect(heldIn(await refreshAt(fleet.next(), third?.refresh ?? ''))).toBeUndefined();
      for (const token of [held(pair), second, third]) {
        expect(await statusesOf(fleet, '/me', token?.access ?? '')).toEqual([401, 401, 401]);
      }
    });

    it('S5: remember what was used when all of them are killed and started again', async () => {
      const pair = await fleet.auth.tokens.issue(userId);
      const second = heldIn(await refreshAt(fleet.next(), pair.refreshToken));
      const third = heldIn(await refreshAt(fleet.next(), second?.refresh ?? ''));
      await Promise.all(fleet.servers.map((_server, index) => fleet.restart(index)));
      expect(heldIn(await refreshAt(fleet.next(), pair.refreshToken))).toBeUndefined();
      expect(heldIn(await refreshAt(fleet.next(), third?.refresh ?? ''))).toBeUndefined();
    });
  });
}
