import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Auth } from '../src/auth.ts';
import type { TokenPair } from '../src/tokens/token-pair.ts';
import { anAuth } from './auth-fixture.ts';
import { type EmptyDatabase, testDatabases, type TestDatabase } from './databases.ts';

const sessions = 150;
const device = {
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
};

/** How many bytes a database takes up. */
async function sizeOf({ url }: EmptyDatabase): Promise<number> {
  if (url.startsWith('file:')) {
    const database = new DatabaseSync(url.slice('file:'.length));
    database.exec('pragma wal_checkpoint(truncate)');
    const numberOf = (pragma: string): number =>
      Number(Object.values(database.prepare(`pragma ${pragma}`).get() ?? {})[0]);
    const size = numberOf('page_count') * numberOf('page_size');
    database.close();
    return size;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ size: string }>(`select pg_total_relation_size('sessions') as size`);
  await client.end();
  return Number(rows[0]?.size);
}

/** All bytes in the files of a SQLite database, or all that PostgreSQL would write into a dump. */
async function contentOf({ url }: EmptyDatabase): Promise<Buffer> {
  if (url.startsWith('file:')) {
    const folder = dirname(url.slice('file:'.length));
    return Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    'select tablename as name from pg_tables where schemaname = $1',
    ['public'],
  );
  const tables: unknown[] = [];
  for (const { name } of rows) tables.push((await client.query(`select ${name}::text as row from ${name}`)).rows);
  await client.end();
  return Buffer.from(JSON.stringify(tables));
}

describe.each(testDatabases.filter(({ name }) => !name.includes('memory')))('sessions on $name', ({ start }) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await start();
  });
  afterAll(() => database.stop());

  async function anEngine(): Promise<{ readonly empty: EmptyDatabase; readonly auth: Auth; readonly userId: string }> {
    const empty = await database.create();
    const { auth } = await anAuth({}, empty.connect());
    const { id } = await auth.users.create({ username: 'ada', password: 'plum-otter-violin-91' });
    return { empty, auth, userId: id };
  }

  it('take up a kilobyte each at most, and no more after a thousand refreshes', { timeout: 120_000 }, async () => {
    const { empty, auth, userId } = await anEngine();
    const before = await sizeOf(empty);
    let pairs: TokenPair[] = [];
    while (pairs.length < sessions) pairs.push(await auth.tokens.issue(userId, { device }));
    const refreshAll = async (): Promise<void> => {
      pairs = await Promise.all(pairs.map(({ refreshToken }) => auth.refresh({ refreshToken, device })));
    };
    for (let round = 0; round < 5; round += 1) await refreshAll();
    const used = await sizeOf(empty);
    expect((used - before) / sessions).toBeLessThanOrEqual(1024);
    let one = pairs.pop();
    for (let refresh = 0; refresh < 1000; refresh += 1) {
      one = await auth.refresh({ refreshToken: one?.refreshToken ?? '', device });
    }
    for (let round = 0; round < 5; round += 1) await refreshAll();
    expect((await sizeOf(empty)) - used).toBeLessThanOrEqual(16_384);
    await auth.close();
  });

  it('S1: leave no token in the database, nor what one could be made of without the key', async () => {
    const { empty, auth, userId } = await anEngine();
    const pairs = [await auth.tokens.issue(userId, { device })];
    for (let refresh = 0; refresh < 5; refresh += 1) {
      pairs.push(await auth.refresh({ refreshToken: pairs.at(-1)?.refreshToken ?? '', device }));
    }
    const content = await contentOf(empty);
    expect(content.includes(pairs[0]?.sessionId ?? '')).toBe(true);
    for (const { accessToken, refreshToken } of pairs) {
      // The last 16 bytes are the MAC: without it a token is worth nothing.
      const mac = Buffer.from(refreshToken, 'base64url').subarray(-16);
      const traces = [refreshToken, refreshToken.slice(-20), mac, mac.toString('hex'), accessToken.split('.')[2] ?? ''];
      for (const trace of traces) expect(content.includes(trace)).toBe(false);
    }
    await auth.close();
  });
});
