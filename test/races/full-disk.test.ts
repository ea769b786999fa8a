import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { sqlite } from '@sallyport/auth/sqlite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, get, password, post, put, type Tokens, tokensIn } from '../http-client.ts';
import { Client, expectGaplessLog, isNotNow } from './clients.ts';
import { type Fleet, refreshAt, startFleet } from './fleet.ts';
import { Load } from './load.ts';
import { patience, repetitions } from './repetitions.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

const rounds = repetitions(1, 12);
const clientCount = repetitions(4, 12);

describe('R5 a disk that runs full under two servers on one SQLite file', () => {
  const disk = mountSmallDisk(12_000_000);
  let fleet: Fleet;
  let file: string;
  let clients: Client[];
  let ada: Tokens;
  beforeAll(async () => {
    if (typeof disk === 'string') return;
    file = join(disk.folder, 'sallyport.db');
    fleet = await startFleet({ url: `file:${file}`, connect: () => sqlite(file) }, undefined, 2);
    clients = await Client.open(fleet, clientCount);
    await fleet.auth.users.create({ username: 'ada', password, roles: ['admin'] });
    ada = tokensIn(await post(`${fleet.next()}/token`, { username: 'ada', password }));
  });
  afterAll(async () => {
    if (typeof disk === 'string') return;
    await fleet.stop();
    disk.remove();
  });

  /** Everything that only reads. */
  async function expectReads({ access_token: access }: Tokens): Promise<void> {
    for (const { url } of fleet.servers) {
      expect((await get(`${url}/me`, access)).status).toBe(200);
      const { body } = await post(`${url}/token/introspect`, { token: access }, { token: access });
      expect(body).toMatchObject({ active: true, username: 'ada' });
      for (const path of ['/users', '/.well-known/jwks.json', '/livez', '/readyz']) {
        expect((await get(`${url}${path}`, path === '/users' ? access : undefined)).status).toBe(200);
      }
    }
  }

  /** Everything that has to write. */
  const writes = (url: string, { access_token: access, refresh_token: refresh }: Tokens): Promise<Answer>[] => [
    post(`${url}/token/refresh`, { refresh_token: refresh }),
    post(`${url}/token/revoke`, { token: refresh }),
    post(`${url}/token`, { username: 'ada', password }),
    post(`${url}/register`, { username: 'grace', password }),
    put(`${url}/roles/editor`, { scopes: ['todos:read'] }, access),
  ];

  async function fill(small: SmallDisk, load: Load): Promise<void> {
    small.leave(0);
    await load.until((calls) => calls.putOff > 20);
    // What others have freed meanwhile.
    small.leave(0);
  }

  it(
    'puts off what has to write, goes on with what reads, and loses nothing acknowledged',
    { timeout: patience },
    async ({ skip }) => {
      if (typeof disk === 'string') return skip(disk);
      for (let round = 0; round < rounds; round += 1) {
        await Load.over(clients, async (load) => {
          await load.until((calls) => calls.answered > 30);
          // Somebody who reads for long, as a backup does: the log in front of the file can only grow meanwhile.
          const reader = new DatabaseSync(file, { readOnly: true });
          reader.exec('begin; select count(*) from users');
          await fill(disk, load);
          await expectReads(ada);
          for (const { url } of fleet.servers) {
            for (const answer of await Promise.all(writes(url, ada))) expect(isNotNow(answer)).toBe(true);
          }
          if (round % 3 === 1) await fleet.kill(round % 2);
          reader.exec('commit');
          reader.close();
          disk.clear();
          if (round % 3 === 1) await fleet.revive(round % 2);
          load.begin();
          await load.until((calls) => calls.answered > 30);
          ada = await vi.waitFor(async () => tokensIn(await refreshAt(fleet.next(), ada.refresh_token)), {
            timeout: 30_000,
          });
        });
        for (const client of clients) await client.verify();
      }
      await expectGaplessLog(fleet);
      await expectReads(ada);
    },
  );

  it('leaves a sound file', ({ skip }) => {
    if (typeof disk === 'string') return skip(disk);
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    database.close();
  });
});
