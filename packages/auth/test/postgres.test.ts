import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anAuth, password } from './auth-fixture.ts';
import { testDatabases, type TestDatabase } from './databases.ts';

let database: TestDatabase | undefined;

beforeAll(async () => {
  database = await testDatabases.find(({ name }) => name === 'PostgreSQL')?.start();
});
afterAll(() => database?.stop());

it('a connection that breaks in the middle of a transaction ends neither the process nor the service', async () => {
  const created = await database?.create();
  if (created === undefined) throw new Error('PostgreSQL did not start');
  const { auth } = await anAuth({}, created.connect());
  await auth.users.register({ username: 'ada', password });
  const operator = new pg.Client({ connectionString: created.url });
  await operator.connect();
  let broken = 0;
  const work = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) {
      try {
        await auth.roles.set(`role-${round}`, ['todos:read']);
      } catch (error) {
        expect(error).toMatchObject({ code: 'store_unavailable' });
        broken += 1;
      }
    }
  };
  const kill = async (): Promise<void> => {
    for (let round = 0; round < 5; round += 1) {
      await operator.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    }
  };
  await Promise.all([work(), work(), kill()]);
  await operator.end();
  expect(broken).toBeGreaterThan(0);
  await auth.ready();
  expect((await auth.users.find('ada')).username).toBe('ada');
  await auth.close();
});
