import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmptyDatabase, testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { get, post } from '../http-client.ts';
import { type Fleet, held, type Held, heldIn, refreshAt, startFleet, statusesOf } from './fleet.ts';
import { patience, repetitions } from './repetitions.ts';

const clients = repetitions(4, 8);
const calls = repetitions(40, 2000);
/** How many calls are acknowledged between two kills, about. */
const between = repetitions(15, 80);

/** What one client was told, and what it was not told. */
interface Told {
  /** The newest tokens it got; undefined: it has signed out, and that was acknowledged. */
  tokens: Held | undefined;
  /** Tokens of sessions whose end was acknowledged. */
  readonly ended: Held[];
  /** The roles it was last told to have, or may have because the answer was lost. */
  roles: readonly string[];
  mayHave: readonly string[] | undefined;
}

for (const { name, start } of testDatabases.filter((each) => !each.name.includes('memory'))) {
  describe(`kill -9 of servers on ${name}`, () => {
    let database: TestDatabase;
    let empty: EmptyDatabase;
    let fleet: Fleet;
    beforeAll(async () => {
      database = await start();
      empty = await database.create();
      fleet = await startFleet(empty);
      await fleet.auth.roles.set('editor', ['todos:write']);
    });
    afterAll(async () => {
      await fleet.stop();
      await database.stop();
    });

    it(
      `S5, S8, S9: loses nothing acknowledged in ${calls} mixed calls, and leaves nothing half done`,
      { timeout: patience },
      async () => {
        const { id: adminId } = await fleet.auth.users.create({
          username: 'root',
          password: 'plum-otter-violin-91',
          roles: ['admin'],
        });
        const { accessToken: admin } = await fleet.auth.tokens.issue(adminId);
        let [acknowledged, kills, untilKill] = [0, 0, between];
        let killing: Promise<void> = Promise.resolve();
        /** One call; undefined when the server was killed before it answered. */
        const ask = async <Result>(work: () => Promise<Result>): Promise<Result | undefined> => {
          const result = await work().catch((error: unknown) => {
            if (error instanceof TypeError) return undefined;
            throw error;
          });
          if (result === undefined) return undefined;
          acknowledged += 1;
          untilKill -= 1;
          if (untilKill > 0) return result;
          untilKill = Math.ceil(between * (0.5 + Math.random()));
          kills += 1;
          killing = killing.then(() => fleet.restart(kills % fleet.servers.length));
          return result;
        };

        const client = async (_: unknown, index: number): Promise<[string, Told]> => {
          const { id } = await fleet.auth.users.create({
            username: `user-${String(index)}`,
            password: 'plum-otter-violin-91',
          });
          const told: Told = {
            tokens: held(await fleet.auth.tokens.issue(id)),
            ended: [],
            roles: ['user'],
            mayHave: undefined,
          };
          while (acknowledged < calls) {
            const chance = Math.random();
            if (told.tokens === undefined) told.tokens = held(await fleet.auth.tokens.issue(id));
            else if (chance < 0.7) await refreshOnce(told, ask);
            else if (chance < 0.85) await signOut(told, ask);
            else await changeRoles(told, id, ask);
          }
          return [id, told];
        };

        async function refreshOnce(told: Told, askOnce: typeof ask): Promise<void> {
          const answer = await askOnce(() => refreshAt(fleet.next(), told.tokens?.refresh ?? ''));
          if (answer === undefined) return;
          if (answer.status === 503) return;
          told.tokens = heldIn(answer);
          // Nobody but this client ends its session, so a refusal here would be an honest session lost.
          expect(told.tokens).toBeDefined();
        }

        async function signOut(told: Told, askOnce: typeof ask): Promise<void> {
          const tokens = told.tokens;
          if (tokens === undefined) return;
          // Asked until it is acknowledged: whether a lost one was done cannot be known.
          for (;;) {
            const answer = await askOnce(() => post(`${fleet.next()}/token/revoke`, { token: tokens.refresh }));
            if (answer?.status === 200) break;
          }
          told.ended.push(tokens);
          told.tokens = undefined;
        }

        async function changeRoles(told: Told, id: string, askOnce: typeof ask): Promise<void> {
          const wanted = told.roles.includes('editor') ? ['user'] : ['editor', 'user'];
          told.mayHave = wanted;
          const status = await askOnce(() => putRoles(fleet.next(), id, wanted, admin));
          if (status === 200) [told.roles, told.mayHave] = [wanted, undefined];
        }

        const all = await Promise.all(Array.from({ length: clients }, client));
        await killing;
        expect(kills).toBeGreaterThan(1);
        for (const [id, { tokens, ended, roles, mayHave }] of all) {
          for (const { access, refresh } of ended) {
            expect(heldIn(await refreshAt(fleet.next(), refresh))).toBeUndefined();
            expect(await statusesOf(fleet, '/me', access)).toEqual([401, 401, 401]);
          }
          const found = (await get(`${fleet.next()}/users/${id}`, admin)).body['roles'];
          expect([roles, mayHave]).toContainEqual(found);
          if (tokens === undefined) continue;
          const renewed = heldIn(await refreshAt(fleet.next(), tokens.refresh));
          expect(await statusesOf(fleet, '/me', renewed?.access ?? '')).toEqual([200, 200, 200]);
          expect(await fleet.auth.sessions.list(id)).toHaveLength(1);
        }
        console.log(`${name}: ${String(acknowledged)} calls acknowledged, ${String(kills)} kills`);
      },
    );

    it('leaves a change log without gaps, and a sound file', async () => {
      const { head, changes } = await fleet.auth.changes.readSince(0);
      expect(changes.map(({ sequence }) => sequence)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
      if (!empty.url.startsWith('file:')) return;
      const file = new DatabaseSync(empty.url.slice('file:'.length));
      expect(file.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      file.close();
    });
  });
}

async function putRoles(url: string, id: string, roles: readonly string[], token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}/users/${id}/roles`, { method: 'PUT', headers, body: JSON.stringify({ roles }) });
  await response.body?.cancel();
  return response.status;
}
