import { storeContract } from '@sallyport/auth/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { testDatabases, type TestDatabase } from './databases.ts';

describe.each(testDatabases)('a store on $name', ({ name, start }) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await start();
  });
  afterAll(() => database.stop());

  const checks = storeContract(async () => {
    const { connect } = await database.create();
    // A database in memory is gone when it is opened anew.
    const store = connect();
    let isFirst = true;
    return () => {
      const opened = isFirst || name.includes('memory') ? store : connect();
      isFirst = false;
      return opened;
    };
  });
  it.each(checks.map(({ title, run }) => [title, run] as const))('%s', (_title, run) => run());
});
