import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../test/source-files.ts';
import type { Route, Server } from './servers.ts';

/** What a server did under load. */
export interface Served {
  /** Requests per second of the clock. */
  readonly perSecond: number;
  /** Requests per second of its process's CPU, whatever else the machine did; only Linux tells. */
  readonly perCpuSecond: number;
}

const connections = 32;
const seconds = 1;

/** Loads a route with the tokens of a file, by a client in a process of its own. */
export async function load({ url, program }: Server, route: Route, tokenFile: string): Promise<Served> {
  const script = join(root, 'bench/guard/load.lua');
  const how = ['-t1', `-c${String(connections)}`, `-d${String(seconds)}s`, '-s', script, url + route, '--', tokenFile];
  const before = cpuSeconds(program.child.pid);
  const said = await runWrk(how);
  const used = cpuSeconds(program.child.pid) - before;
  const [result = ''] = /^\{.*\}$/m.exec(said) ?? [];
  const { requests, microseconds, failed } = JSON.parse(result) as Readonly<Record<string, number>>;
  if (requests === undefined || microseconds === undefined || failed !== 0) {
    throw new Error(`${route} did not grant every request:\n${said}\n${program.output()}`);
  }
  return { perSecond: (requests * 1e6) / microseconds, perCpuSecond: requests / used };
}

async function runWrk(args: readonly string[]): Promise<string> {
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [status] = (await once(child, 'close').catch(missing)) as [number | null];
  if (status !== 0) throw new Error(`wrk ended with ${String(status)}:\n${said}`);
  return said;
}

function missing(error: unknown): never {
  throw new Error('The load comes from wrk, which is not here: install it (apt-get install wrk, brew install wrk)', {
    cause: error,
  });
}

/** CPU seconds of a process so far, of all its threads. */
function cpuSeconds(pid: number | undefined): number {
  if (process.platform !== 'linux') return Number.NaN;
  const threads = `/proc/${String(pid)}/task`;
  // The scheduler counts in nanoseconds, where the clock of `stat` ticks a hundred times a second.
  const times = readdirSync(threads).map((thread) => readFileSync(join(threads, thread, 'schedstat'), 'utf8'));
  return times.reduce((sum, time) => sum + Number.parseInt(time, 10), 0) / 1e9;
}
