import { join } from 'node:path';
import { storeContract } from '@sallyport/auth/testing';
import { describe, expect, it } from 'vitest';
import { mapStore } from '../examples/own-store/src/map-store.ts';
import { runProgram } from './child-process.ts';
import { root } from './source-files.ts';

describe('a store of somebody’s own', () => {
  it('runs the contract in Node’s own runner, as published', async () => {
    const checks = storeContract(() => mapStore);
    const args = ['--import', 'tsx', '--test', '--test-reporter', 'tap', 'src/map-store.spec.ts'];
    const { status, stdout, stderr } = await runProgram(args, { cwd: join(root, 'examples/own-store') });
    expect({ status, stderr: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`# pass ${String(checks.length)}\n`);
  });
});
