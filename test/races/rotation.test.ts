import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type EmptyDatabase, testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { password, post, put } from '../http-client.ts';
import {
  eventsOf,
  type Fleet,
  held,
  heldIn,
  logLengths,
  outcomesOf,
  refreshAt,
  startFleet,
  statusesOf,
} from './fleet.ts';
import { patience, repetitions } from './repetitions.ts';

/** Logs come through a pipe. */
const soon = { timeout: 20_000 };
const presentations = 50;
const registrations = repetitions(9, 30);
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
      // All of them at once, on a database without users.
      fleet = await startFleet(empty, () => ({ ADMIN_USERNAME: 'chief', ADMIN_PASSWORD: password }));
      ({ id: userId } = await fleet.auth.users.create({ username: 'ada', password }));
    });
    afterAll(async () => {
      await fleet.stop();
      await database.stop();
    });

    it(
      `S4, R1, R3: make one rotation and one successor of ${presentations} presentations at once, ${rounds} times`,
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
          }, soon);
          expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1);
          expect(new Set(outcomes)).toEqual(
            new Set(['rotated', 'raced', ...outcomes.filter((each) => each === 'retried')]),
          );
          expect(heldIn(await refreshAt(fleet.next(), successors[0] ?? ''))).toBeDefined();
        }
        await store.close();
      },
    );

    it('R2: make one first administrator', async () => {
      const { id, roles } = await fleet.auth.users.find('chief');
      expect(roles).toEqual(['admin']);
      await vi.waitFor(() => expect(eventsOf(fleet, 'user_created', id)).toHaveLength(1), soon);
      expect(eventsOf(fleet, 'user_created', '')).toHaveLength(1);
    });

    it('R2, R3: give a name to one of many who register it at once, in any case', async () => {
      const names = Array.from({ length: registrations }, (_, index) => (index % 2 === 0 ? 'Grace' : 'GRACE'));
      const answers = await Promise.all(
        names.map((username) => post(`${fleet.next()}/register`, { username, password })),
      );
      const made = answers.filter(({ status }) => status === 201);
      expect(made).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(registrations - 1);
      await vi.waitFor(
        () => expect(eventsOf(fleet, 'user_registered', String(made[0]?.body['id']))).toHaveLength(1),
        soon,
      );
    });

    it(
      `R2: end a session once, however many sign out of it at once, ${rounds} times`,
      { timeout: patience },
      async () => {
        for (let round = 0; round < rounds; round += 1) {
          const pair = await fleet.auth.tokens.issue(userId);
          const before = await fleet.auth.changes.readSince(0);
          const answers = await Promise.all(
            Array.from({ length: presentations }, () =>
              post(`${fleet.next()}/token/revoke`, { token: pair.refreshToken }),
            ),
          );
          expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
          const { changes } = await fleet.auth.changes.readSince(before.head);
          expect(changes).toMatchObject([{ sequence: before.head + 1, key: pair.sessionId }]);
          await vi.waitFor(() => expect(eventsOf(fleet, 'session_ended', pair.sessionId)).toHaveLength(1), soon);
        }
      },
    );

    it(
      `R3: keep an administrator when two demote each other at once, ${rounds} times`,
      { timeout: patience },
      async () => {
        const { id: one } = await fleet.auth.users.find('chief');
        const { id: other } = await fleet.auth.users.create({ username: 'other', password, roles: ['admin'] });
        const people = [one, other];
        for (let round = 0; round < rounds; round += 1) {
          for (const id of people) await fleet.auth.users.setRoles(id, ['admin']);
          const tokens = await Promise.all(people.map(async (id) => (await fleet.auth.tokens.issue(id)).accessToken));
          const answers = await Promise.all(
            people.map((id, index) =>
              put(`${fleet.next()}/users/${id}/roles`, { roles: ['user'] }, tokens[1 - index] ?? ''),
            ),
          );
          // Whoever is demoted first may do nothing any more, and the last one cannot be.
          expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
          const roles = await Promise.all(people.map(async (id) => (await fleet.auth.users.find(id)).roles));
          expect(roles.filter((each) => each.includes('admin'))).toHaveLength(1);
        }
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
