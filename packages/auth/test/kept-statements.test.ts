import type { PostgresPool, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openProxy } from '../../../test/tcp-proxy.ts';
import { postgres } from '../src/stores/postgres.ts';
import { openPool } from '../src/stores/postgres/connections.ts';
import { keepingStatements } from '../src/stores/postgres/kept-statements.ts';
import type { Store } from '../src/stores/store.ts';
import { anAuth, password } from './auth-fixture.ts';
import { testDatabases, type TestDatabase } from './databases.ts';

let database: TestDatabase;
beforeAll(async () => {
  const found = testDatabases.find(({ name }) => name === 'PostgreSQL');
  if (found === undefined) throw new Error('no PostgreSQL');
  database = await found.start();
});
afterAll(() => database.stop());

let url: string;
beforeEach(async () => {
  url = (await database.create()).url;
});

describe('statements on a connection to PostgreSQL', () => {
  let pool: PostgresPool;
  beforeEach(() => {
    pool = keepingStatements(openPool(url));
  });
  afterEach(() => pool.end());

  /** Asks on one connection after another; the pool hands out the same one as long as nobody else has it. */
  async function ask<Row>(text: string, parameters: readonly unknown[] = []): Promise<PostgresQueryResult<Row>> {
    const client = await pool.connect();
    try {
      return await client.query<Row>(text, parameters);
    } finally {
      client.release();
    }
  }
  async function kept(): Promise<string[]> {
    const { rows } = await ask<{ statement: string }>('select statement from pg_prepared_statements order by name');
    return rows.map(({ statement }) => statement);
  }

  it('are kept from the second time on', async () => {
    const text = 'select $1::int + 1 as sum';
    for (const [times, statements] of [[], [text], [text]].entries()) {
      expect(await ask(text, [times])).toMatchObject({ rows: [{ sum: times + 1 }] });
      expect(await kept()).toEqual(statements);
    }
  });

  it('are not kept without parameters: begin and commit are none', async () => {
    for (const text of ['begin', 'select 1', 'commit', 'begin', 'select 1', 'commit']) await ask(text);
    expect(await kept()).toEqual([]);
  });

  it('are kept up to a hundred, and work beyond it', async () => {
    const texts = Array.from({ length: 130 }, (_, place) => `select $1::int + ${place} as sum`);
    for (const round of [1, 2, 3]) {
      for (const [place, text] of texts.entries()) {
        expect((await ask<{ sum: number }>(text, [round])).rows).toEqual([{ sum: round + place }]);
      }
    }
    expect(await kept()).toHaveLength(100);
  });

  it('that come once do not keep those from being kept that come again', async () => {
    for (let place = 0; place < 1200; place += 1) await ask(`select $1::int + ${place} as sum`, [1]);
    for (const _ of [1, 2]) await ask('select $1::text as word', ['again']);
    expect(await kept()).toEqual(['select $1::text as word']);
  });

  it('are not sent twice when they fail', async () => {
    await ask('create table tries (place serial)');
    const failing = "insert into tries values (nextval('tries_place_seq') / $1::int)";
    for (const _ of [1, 2, 3]) await expect(ask(failing, [0])).rejects.toMatchObject({ code: '22012' });
    await ask('insert into tries default values');
    expect((await ask('select place from tries')).rows).toEqual([{ place: 4 }]);
  });

  describe('when somebody changes the tables', () => {
    const text = 'select * from things where size > $1';
    beforeEach(async () => {
      await ask('create table things (size int)');
      await ask('insert into things values (1)');
      for (const _ of [1, 2, 3]) await ask(text, [0]);
      await ask('alter table things add column colour text');
    });

    it('are parsed anew, without anybody noticing', async () => {
      expect((await ask(text, [0])).rows).toEqual([{ size: 1, colour: null }]);
      for (const _ of [1, 2]) await ask(text, [0]);
      expect(await kept()).toEqual([text, text]);
    });

    it('undo a transaction, which may begin anew', async () => {
      const client = await pool.connect();
      await client.query('begin', []);
      await expect(client.query(text, [0])).rejects.toMatchObject({ code: '40001', cause: { code: '0A000' } });
      await client.query('rollback', []);
      await client.query('begin', []);
      expect((await client.query(text, [0])).rows).toEqual([{ size: 1, colour: null }]);
      await client.query('commit', []);
      client.release();
    });
  });
});

describe('on a connection that turns out not to be its client’s alone', () => {
  let pool: PostgresPool;
  beforeEach(() => {
    pool = keepingStatements(openPool(url));
  });
  afterEach(() => pool.end());
  const text = 'select $1::int + 1 as sum';

  it('nothing is kept any more once a statement is missing', async () => {
    const client = await pool.connect();
    for (const _ of [1, 2]) await client.query(text, [1]);
    await client.query('deallocate all', []);
    for (const _ of [1, 2, 3]) expect(await client.query(text, [1])).toMatchObject({ rows: [{ sum: 2 }] });
    expect((await client.query('select name from pg_prepared_statements', [])).rows).toEqual([]);
    client.release();
  });

  it('a transaction begins anew when a statement is missing', async () => {
    const client = await pool.connect();
    for (const _ of [1, 2]) await client.query(text, [1]);
    for (const each of ['deallocate all', 'begin']) await client.query(each, []);
    await expect(client.query(text, [1])).rejects.toMatchObject({ code: '40001', cause: { code: '26000' } });
    for (const each of ['rollback', 'begin']) await client.query(each, []);
    expect(await client.query(text, [1])).toMatchObject({ rows: [{ sum: 2 }] });
    await client.query('rollback', []);
    client.release();
  });

  it('a name means one statement, whoever has given it', async () => {
    const [one, other] = [await pool.connect(), await pool.connect()];
    for (const _ of [1, 2]) await one.query(text, [1]);
    const { rows } = await one.query<{ name: string }>('select name from pg_prepared_statements', []);
    await other.query(`prepare "${rows[0]?.name ?? ''}" (int) as ${text}`, []);
    for (const _ of [1, 2, 3]) expect(await other.query(text, [1])).toMatchObject({ rows: [{ sum: 2 }] });
    one.release();
    other.release();
  });
});

it('a commit that fails is never taken for done, whatever PostgreSQL says', async () => {
  const pool = keepingStatements(openPool(url));
  const client = await pool.connect();
  await client.query('create table things (size int)', []);
  await client.query(
    `create function refuse() returns trigger language plpgsql as
      $$ begin raise exception using errcode = '0A000', message = 'not supported'; end $$`,
    [],
  );
  await client.query(
    `create constraint trigger refusing after insert on things deferrable initially deferred
      for each row execute function refuse()`,
    [],
  );
  for (let round = 0; round < 20; round += 1) {
    await client.query('begin', []);
    await client.query('insert into things values ($1)', [round]);
    await expect(client.query('commit', [])).rejects.toMatchObject({ code: '0A000' });
    // And alone, where the insertion is the commit.
    await expect(client.query('insert into things values ($1)', [round])).rejects.toMatchObject({ code: '0A000' });
  }
  expect((await client.query('select * from things', [])).rows).toEqual([]);
  client.release();
  await pool.end();
});

it('connections are replaced when they have lived for long enough, under load and in transactions, and nobody notices', async () => {
  const pool = keepingStatements(openPool(url, { life: 1 }));
  const servers = new Set<number>();
  const until = performance.now() + 3500;
  const ask = async (): Promise<void> => {
    const client = await pool.connect();
    for (const text of ['begin', 'commit']) {
      await client.query(text, []);
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() + $1::int as pid', [0]);
      for (const { pid } of rows) servers.add(pid);
    }
    client.release();
  };
  const lane = async (): Promise<void> => {
    while (performance.now() < until) await ask();
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  await pool.end();
  expect(servers.size).toBeGreaterThan(20);
});

/** Makes up a process id for its clients, as poolers do that lend the same server connection to many. */
async function openPooler(): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const target = new URL(url);
  const pooler = await openProxy(Number(target.port), () => ({
    fromClient: (bytes, link) => link.toServer(bytes),
    fromServer: (bytes, link) => {
      const keyData = bytes.indexOf(Buffer.from('K\0\0\0\x0c', 'latin1'));
      if (keyData !== -1) bytes.writeUInt32BE(4_000_000, keyData + 5);
      link.toClient(bytes);
    },
  }));
  target.port = String(pooler.port);
  return { url: target.href, close: () => pooler.close() };
}

it('behind a pooler nothing is kept: the next statement may come to another server connection', async () => {
  const pooler = await openPooler();
  const pool = keepingStatements(openPool(pooler.url));
  const client = await pool.connect();
  for (const _ of [1, 2, 3]) await client.query('select $1::int', [1]);
  expect((await client.query('select name from pg_prepared_statements', [])).rows).toEqual([]);
  client.release();
  await pool.end();
  await pooler.close();
});

describe('a store whose tables another version of the program changes', () => {
  let store: Store;
  let other: pg.Client;
  beforeEach(async () => {
    store = postgres(url);
    other = new pg.Client({ connectionString: url });
    await other.connect();
  });
  afterEach(async () => {
    await other.end();
    await store.close();
  });

  it('goes on, in transactions as well', async () => {
    const { auth } = await anAuth({}, store);
    await auth.users.register({ username: 'ada', password });
    for (const change of ['add column later text', 'drop column later']) {
      for (const _ of [1, 2, 3]) {
        const { refreshToken } = await auth.signIn({ username: 'ada', password });
        await auth.refresh({ refreshToken });
      }
      for (const table of ['users', 'sessions', 'feed_head', 'signing_keys', 'roles']) {
        await other.query(`alter table ${table} ${change}`);
      }
    }
    const { refreshToken } = await auth.signIn({ username: 'ada', password });
    await auth.refresh({ refreshToken });
    await auth.revoke(refreshToken);
    await expect(auth.refresh({ refreshToken })).rejects.toMatchObject({ details: { outcome: 'ended' } });
  });
});
