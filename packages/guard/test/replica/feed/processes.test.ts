import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { aFeedServer, aTokenOf, theEndOf } from '../../feed-fixture.ts';
import type { FeedServer } from '../../feed-server.ts';
import { audience, issuer, issuerKeys } from '../../tokens.ts';
import { until } from '../../until.ts';

const program = fileURLToPath(new URL('../../guard-process.ts', import.meta.url));
// Not its command, which starts another process that outlives it when it is killed.
const tsx = new URL('../../../../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
const workers = 3;

const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null) continue;
    child.kill();
    await once(child, 'close');
  }
});

/** A process that does something with a guard that follows a server. */
function start(act: string, { url, credential }: FeedServer) {
  const ORDERS = JSON.stringify({ issuer, audience, keys: issuerKeys, credential, node: url, workers });
  const child = spawn(process.execPath, ['--import', tsx, program, act], {
    env: { ...process.env, ORDERS },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  const said = { text: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.text += chunk.toString()));
  return { child, said };
}

describe('a process with a guard', () => {
  it('ends when it has nothing else to do, whatever the guard is doing', async () => {
    const server = await aFeedServer();
    const { child } = start('idle', server);
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
  });

  it('ends although the server does not answer', async () => {
    const server = await aFeedServer();
    server.isFrozen = true;
    const { child } = start('idle', server);
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
  });

  it('lives while it waits for the guard to be ready, and then ends', async () => {
    const server = await aFeedServer();
    server.isFrozen = true;
    const { child, said } = start('ready', server);
    await until('the guard asks for the log', () => server.requests.length > 0);
    await server.stop();
    server.isFrozen = false;
    await server.start();
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    expect(JSON.parse(said.text)).toMatchObject({ ready: true, connected: true });
  });

  it('lives until the server has heard that the guard takes leave, and then ends', async () => {
    const server = await aFeedServer();
    server.pingDelay = 300;
    const { child, said } = start('close', server);
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    expect(said.text).toBe('closed\n');
    expect(server.left).toHaveLength(1);
  });
});

describe('a cluster', () => {
  it('has a replica in each of its processes, and all of them learn', async () => {
    const server = await aFeedServer();
    const { said } = start('cluster', server);
    await until('all workers listen', () => said.text.includes('\n'));
    const { port } = JSON.parse(said.text) as { port: number };
    const token = aTokenOf(server, 'session-1');
    /** What each worker says. */
    const verdicts = async (): Promise<Map<number, string>> => {
      const all = new Map<number, string>();
      await until('every worker has answered', async () => {
        const headers = { authorization: `Bearer ${token}` };
        const answer = await fetch(`http://127.0.0.1:${String(port)}/`, { headers });
        const { worker, code } = (await answer.json()) as { worker: number; code: string };
        all.set(worker, code);
        return all.size === workers;
      });
      return all;
    };
    expect([...(await verdicts()).values()]).toEqual(['granted', 'granted', 'granted']);
    expect(server.streams).toBe(workers);
    server.append({ ...theEndOf('session-1'), flags: 3 });
    await until('every worker acknowledged', () =>
      [...server.acknowledged.values()].every((cursor) => cursor === server.cursor),
    );
    expect([...(await verdicts()).values()]).toEqual(['token_revoked', 'token_revoked', 'token_revoked']);
  });
});
