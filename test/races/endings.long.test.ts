import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { type Fleet, type Held, held, heldIn, refreshAt, startFleet, statusesOf } from './fleet.ts';
import { patience, repetitions } from './repetitions.ts';

const rounds = repetitions(3, 200);
const tabs = 3;
const passwords = ['plum-otter-violin-91', 'quartz-heron-lantern-58'] as const;

/** Somebody who is signed in. */
interface Victim {
  readonly id: string;
  readonly sessionId: string;
  readonly first: Held;
  /** Which of the two passwords is theirs. */
  readonly round: number;
}

/** Something that ends what a refresh may be making at the same moment. */
interface Ending {
  readonly name: string;
  /** Does it through one of the servers; rejects or answers its status. */
  readonly act: (fleet: Fleet, victim: Victim, admin: string) => Promise<number>;
  /** Puts the user back for the next round. */
  readonly undo?: (fleet: Fleet, victim: Victim) => Promise<unknown>;
  /** Whether the user is another one each time. */
  readonly deletes?: true;
}

const call = async (method: string, url: string, token: string, body?: object): Promise<number> => {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  await response.body?.cancel();
  return response.status;
};

const form = async (url: string, fields: Record<string, string>): Promise<number> => {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(fields) });
  await response.body?.cancel();
  return response.status;
};

const endings: readonly Ending[] = [
  {
    name: 'a logout by refresh token',
    act: (fleet, { first }) => form(`${fleet.next()}/token/revoke`, { token: first.refresh }),
  },
  {
    name: 'a logout by access token',
    act: (fleet, { first }) => form(`${fleet.next()}/token/revoke`, { token: first.access }),
  },
  {
    name: 'a logout everywhere',
    act: (fleet, { first }) => call('DELETE', `${fleet.next()}/me/sessions`, first.access),
  },
  {
    name: 'a password change',
    act: (fleet, { first, round }) =>
      call('POST', `${fleet.next()}/me/password`, first.access, {
        current_password: passwords[round % 2],
        new_password: passwords[(round + 1) % 2],
      }),
  },
  {
    name: 'disabling the user',
    act: (fleet, { id }, admin) => call('POST', `${fleet.next()}/users/${id}/disable`, admin),
    undo: (fleet, { id }) => fleet.auth.users.enable(id),
  },
  {
    name: 'deleting the user',
    act: (fleet, { id }, admin) => call('DELETE', `${fleet.next()}/users/${id}`, admin),
    deletes: true,
  },
  {
    name: 'an end of all sessions of everybody',
    act: async (fleet) => ((await fleet.auth.sessions.endEverything()) > 0 ? 200 : 500),
  },
];

for (const { name, start } of testDatabases.filter((each) => !each.name.includes('memory'))) {
  describe(`refreshes at three servers on ${name}`, () => {
    let database: TestDatabase;
    let fleet: Fleet;
    let adminId: string;
    beforeAll(async () => {
      database = await start();
      fleet = await startFleet(await database.create());
      ({ id: adminId } = await fleet.auth.users.create({ username: 'root', password: passwords[0], roles: ['admin'] }));
      await fleet.auth.roles.set('auditor', ['users:read']);
    });
    afterAll(async () => {
      await fleet.stop();
      await database.stop();
    });

    const adminToken = async (): Promise<string> => (await fleet.auth.tokens.issue(adminId)).accessToken;

    async function aVictim(username: string, roles: readonly string[] = ['user']): Promise<string> {
      return (await fleet.auth.users.create({ username, password: passwords[0], roles })).id;
    }

    async function signedIn(id: string, round: number): Promise<Victim> {
      const pair = await fleet.auth.tokens.issue(id);
      return { id, sessionId: pair.sessionId, first: held(pair), round };
    }

    /**
     * Refreshes from three tabs at once, at all servers, over and over, and begins `act` in the middle of it. Gives every
     * token that was got, those of the beginning too, once `act` is done and the tabs have tried once more.
     */
    async function whileRefreshing({ first }: Victim, act: () => Promise<void>): Promise<Held[]> {
      const all: Held[] = [first];
      let acting: Promise<void> | undefined;
      let [acted, last] = [false, first];
      for (let turn = 0; ; turn += 1) {
        const isLast = acted;
        const token = last.refresh;
        const answers = Array.from({ length: tabs }, () => refreshAt(fleet.next(), token));
        if (turn === 1) {
          acting = delay(Math.random() * 12).then(act);
          acting.then(
            () => (acted = true),
            () => (acted = true),
          );
        }
        const got = (await Promise.all(answers)).flatMap((answer) => heldIn(answer) ?? []);
        all.push(...got);
        last = got[0] ?? last;
        if (got.length === 0 || isLast) break;
      }
      await acting;
      return all;
    }

    it.each(endings)(
      `S8, S9, R3: leave nothing alive behind $name, ${rounds} times`,
      { timeout: patience },
      async (ending) => {
        const slug = ending.name.replaceAll(' ', '-');
        let id = ending.deletes ? '' : await aVictim(slug);
        for (let round = 0; round < rounds; round += 1) {
          if (ending.deletes) id = await aVictim(`${slug}-${String(round)}`);
          const [victim, admin] = [await signedIn(id, round), await adminToken()];
          const all = await whileRefreshing(victim, async () => {
            expect(await ending.act(fleet, victim, admin)).toBeLessThan(300);
          });
          expect(all.length).toBeGreaterThan(tabs);
          for (const token of new Set(all.map(({ refresh }) => refresh))) {
            expect(heldIn(await refreshAt(fleet.next(), token))).toBeUndefined();
          }
          for (const { access } of all) expect(await call('GET', `${fleet.next()}/me`, access)).toBe(401);
          expect(await statusesOf(fleet, '/me', all.at(-1)?.access ?? '')).toEqual([401, 401, 401]);
          await ending.undo?.(fleet, victim);
        }
      },
    );

    it(`S9, R3: resurrect no role that was taken away meanwhile, ${rounds} times`, { timeout: patience }, async () => {
      const id = await aVictim('demoted', ['auditor']);
      for (let round = 0; round < rounds; round += 1) {
        await fleet.auth.users.setRoles(id, ['auditor']);
        const [victim, admin] = [await signedIn(id, round), await adminToken()];
        expect(await statusesOf(fleet, '/users', victim.first.access)).toEqual([200, 200, 200]);
        const all = await whileRefreshing(victim, async () => {
          expect(await call('PUT', `${fleet.next()}/users/${id}/roles`, admin, { roles: ['user'] })).toBe(200);
        });
        for (const { access } of all) expect(await call('GET', `${fleet.next()}/users`, access)).toBe(403);
        const renewed = heldIn(await refreshAt(fleet.next(), all.at(-1)?.refresh ?? ''));
        expect(await statusesOf(fleet, '/users', renewed?.access ?? '')).toEqual([403, 403, 403]);
        expect(await statusesOf(fleet, '/me', renewed?.access ?? '')).toEqual([200, 200, 200]);
      }
    });

    it(
      `K3, R10: use no key that was revoked meanwhile, and end no session for it, ${rounds} times`,
      { timeout: patience },
      async () => {
        const id = await aVictim('rotated');
        const keyIn = (access: string): unknown =>
          (JSON.parse(Buffer.from(access.split('.')[0] ?? '', 'base64url').toString()) as { kid: unknown }).kid;
        for (let round = 0; round < rounds; round += 1) {
          const [victim, admin] = [await signedIn(id, round), await adminToken()];
          const dead = keyIn(victim.first.access);
          const all = await whileRefreshing(victim, async () => {
            expect(await call('POST', `${fleet.next()}/keys/${String(dead)}/revoke`, admin)).toBe(200);
          });
          for (const { access } of all) {
            expect(await call('GET', `${fleet.next()}/me`, access)).toBe(keyIn(access) === dead ? 401 : 200);
          }
          const renewed = heldIn(await refreshAt(fleet.next(), all.at(-1)?.refresh ?? ''));
          expect(keyIn(renewed?.access ?? '')).not.toBe(dead);
          expect(await statusesOf(fleet, '/me', renewed?.access ?? '')).toEqual([200, 200, 200]);
        }
      },
    );

    it(
      `K2, R10: refuse no good token while keys rotate, at all servers at once, ${rounds} times`,
      { timeout: patience },
      async () => {
        const id = await aVictim('steady');
        for (let round = 0; round < rounds; round += 1) {
          const [victim, admin] = [await signedIn(id, round), await adminToken()];
          const all = await whileRefreshing(victim, async () => {
            const rotations = fleet.servers.map(({ url }) => call('POST', `${url}/keys/rotate`, admin));
            expect(await Promise.all(rotations)).toEqual([201, 201, 201]);
          });
          for (const { access } of all) expect(await statusesOf(fleet, '/me', access)).toEqual([200, 200, 200]);
        }
        const waiting = (await fleet.auth.keys.list()).filter(({ stage }) => stage === 'next');
        expect(waiting).toHaveLength(1);
      },
    );
  });
}
