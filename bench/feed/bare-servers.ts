import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { EmptyDatabase } from '../../packages/auth/test/databases.ts';
import { root } from '../../test/source-files.ts';
import { createBareLog } from './bare-log.ts';
import type { FollowedServers } from './servers.ts';

const program = join(root, 'bench/feed/bare-server-program.ts');

/** Starts servers that do the least that a feed takes, on PostgreSQL. */
export async function startBareServers({ url }: EmptyDatabase, count: number): Promise<FollowedServers> {
  await createBareLog(url);
  const env = { PATH: process.env['PATH'], DATABASE_URL: url };
  const children = Array.from({ length: count }, () =>
    fork(program, [], { execArgv: ['--import', 'tsx'], env, cwd: root }),
  );
  const ports = await Promise.all(children.map((child) => once(child, 'message')));
  return {
    addresses: ports.map(([port]) => ({ url: `http://127.0.0.1:${String(port)}` })),
    pids: () => children.map(({ pid }) => pid),
    guard: { program: 'bare-guard-program.ts', issuer: '', credential: '' },
    issue: (tokens) => Promise.resolve(Array.from({ length: tokens }, (_, index) => `token-${String(index)}`)),
    stop: async () => {
      await Promise.all(children.map(end));
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}
