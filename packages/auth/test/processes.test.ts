import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabases, type TestDatabase } from './databases.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('open-auth.js', import.meta.url));

/** Opens the engine on a database in a process of its own; resolves with its key ids. */
async function openInProcess(url: string): Promise<string[]> {
  const { stdout } = await run(process.execPath, [script, url]);
  return JSON.parse(stdout) as string[];
}

for (const { name, start } of testDatabases.filter((each) => !each.name.includes('memory'))) {
  describe(`several processes on ${name}`, () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await start();
    });
    afterAll(() => database.stop());

    it('K4: that start together on an empty database make exactly one key', async () => {
      const { url, connect } = await database.create();
      const keys = await Promise.all(Array.from({ length: 5 }, () => openInProcess(url)));
      expect(new Set(keys.flat()).size).toBe(1);
      const store = connect();
      expect(await store.keys.list()).toHaveLength(1);
      expect(await store.changes.head()).toBe(2);
      await store.close();
    });
  });
}
