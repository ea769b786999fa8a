import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../../test/child-process.ts';
import { root } from '../../test/source-files.ts';

/** What a resource server is started with. */
export interface AppOrders {
  readonly issuer: string;
  /** The server of the issuer that its guard follows. */
  readonly node: string;
  readonly credential: string;
  readonly port: number;
}

/** A resource server in a process of its own. */
export interface AppProcess {
  readonly host: string;
  stop(): Promise<void>;
}

export async function startApp(orders: Omit<AppOrders, 'port'>): Promise<AppProcess> {
  const port = await freePort();
  const env = { PATH: process.env['PATH'], ORDERS: JSON.stringify({ ...orders, port }) };
  const child = fork(join(root, 'bench/sockets/app-program.ts'), [], { execArgv: ['--import', 'tsx'], env, cwd: root });
  const host = `127.0.0.1:${String(port)}`;
  const [word] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (word !== 'ready') throw new Error('a resource server has ended at once');
  return {
    host,
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
