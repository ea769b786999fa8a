import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../test/child-process.ts';
import { openProxy, type TcpProxy } from '../../../test/tcp-proxy.ts';
import { openPool } from '../src/stores/postgres/connections.ts';
import { Outage } from '../src/stores/postgres/outage.ts';
import { testDatabases, type TestDatabase } from './databases.ts';

const away = new Error('away');

describe('an outage', () => {
  let time = 0;
  let asked = 0;
  let isThere = false;
  const outage = (): Outage => {
    [time, asked, isThere] = [0, 0, false];
    return new Outage(() => time);
  };
  const ask = (of: Outage): Promise<string> =>
    of.attempt(() => {
      asked += 1;
      return isThere ? Promise.resolve('there') : Promise.reject(away);
    });

  it('lets nobody wait while there is none', async () => {
    const none = outage();
    isThere = true;
    await Promise.all(Array.from({ length: 10 }, () => ask(none)));
    expect(asked).toBe(10);
  });

  it('is looked into after 50 ms, then half as often each time, once a second in the end', async () => {
    const long = outage();
    const moments: number[] = [];
    for (time = 0; time < 5000; time += 10) {
      const before = asked;
      await expect(ask(long)).rejects.toBe(away);
      if (asked > before) moments.push(time);
    }
    expect(moments).toEqual([0, 50, 150, 350, 750, 1550, 2550, 3550, 4550]);
  });

  it('that many notice at once counts once', async () => {
    const short = outage();
    await Promise.allSettled(Array.from({ length: 10 }, () => ask(short)));
    short.noticed(away);
    expect(asked).toBe(10);
    time = 50;
    isThere = true;
    expect(await ask(short)).toBe('there');
  });

  it('is looked into by one caller at a time: the others are refused at once, with the last error', async () => {
    const long = outage();
    await expect(ask(long)).rejects.toBe(away);
    time = 50;
    let answer: (text: string) => void = () => undefined;
    const trying = long.attempt(() => new Promise<string>((resolve) => (answer = resolve)));
    await expect(ask(long)).rejects.toBe(away);
    answer('there');
    expect(await trying).toBe('there');
    isThere = true;
    await Promise.all(Array.from({ length: 10 }, () => ask(long)));
    expect(asked).toBe(11);
  });
});

describe('a pool of connections', () => {
  let database: TestDatabase;
  let url: URL;
  let proxy: TcpProxy;
  let pool: pg.Pool;
  beforeAll(async () => {
    const postgres = testDatabases.find(({ name }) => name === 'PostgreSQL');
    if (postgres === undefined) throw new Error('no PostgreSQL');
    database = await postgres.start();
    url = new URL((await database.create()).url);
  });
  afterAll(() => database.stop());
  beforeEach(async () => {
    proxy = await openProxy(Number(url.port));
  });
  afterEach(async () => {
    await pool.end();
    await proxy.close();
  });

  const poolThere = (silence?: number): pg.Pool => {
    const there = new URL(url);
    there.port = String(proxy.port);
    return openPool(there.href, silence === undefined ? {} : { silence });
  };
  const ask = (): Promise<unknown> => pool.query('select 1');

  it('does not besiege a server that refuses it, and goes on when it is there again', async () => {
    pool = poolThere();
    proxy.leadTo(await freePort());
    const until = performance.now() + 1000;
    let refused = 0;
    while (performance.now() < until) {
      const asked = await Promise.allSettled(Array.from({ length: 50 }, ask));
      refused += asked.filter(({ status }) => status === 'rejected').length;
      await delay(1);
    }
    expect(refused).toBeGreaterThan(200);
    // As many at first as it opens, then one look after 50, 100, 200, 400 ms and so on.
    expect(proxy.asked()).toBeLessThan(10 + 7);
    proxy.leadTo(Number(url.port));
    await vi.waitFor(ask, { timeout: 10_000 });
    await Promise.all(Array.from({ length: 50 }, ask));
  });

  it('goes on with the connections it has while it gets no new ones', async () => {
    pool = poolThere();
    const held = await pool.connect();
    proxy.leadTo(await freePort());
    await expect(ask()).rejects.toThrow();
    held.release();
    await ask();
  });

  it('gives up a connection that has gone silent, at once for all that is still asked of it, and uses it no more', async () => {
    pool = poolThere(1000);
    await ask();
    const silent = await pool.connect();
    proxy.freeze();
    await expect(silent.query('select 1')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const rollback = silent.query('rollback');
    await expect(rollback).rejects.toThrow('not queryable');
    silent.release();
    expect(pool.totalCount).toBe(0);
    proxy.thaw();
    await vi.waitFor(ask, { timeout: 10_000 });
    expect(proxy.asked()).toBeGreaterThan(1);
  });

  it('waits for a statement that takes its time, as long as the server lets it', async () => {
    pool = poolThere(5000);
    await pool.query('select pg_sleep(0.3)');
    expect(proxy.asked()).toBe(1);
  });
});
