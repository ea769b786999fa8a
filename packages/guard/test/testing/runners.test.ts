import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

it('the test kit works in node:test, without a network', async () => {
  const file = fileURLToPath(new URL('todos.node-test.mjs', import.meta.url));
  const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', file]);
  expect(stdout).toContain('# pass 3');
  expect(stdout).toContain('# fail 0');
});
