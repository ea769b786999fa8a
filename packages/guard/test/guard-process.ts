// A guard in a process of its own, for tests of what only processes show. Its argument says what it does.
import cluster from 'node:cluster';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createGuard, type Guard } from '../dist/index.js';

/** What the test tells it. */
interface Orders {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: never;
  readonly credential: string;
  readonly node: string;
  readonly workers: number;
}

const { issuer, audience, keys, credential, node, workers } = JSON.parse(process.env['ORDERS'] ?? '{}') as Orders;

const aGuard = (): Guard => createGuard({ issuer, audience, keys, feed: { credential, nodes: [node] } });

/** One of several processes on one port, each with a guard of its own. */
async function serve(): Promise<void> {
  const guard = aGuard();
  await guard.ready();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const verdict = await guard.check({ authorization: [request.headers.authorization ?? ''] });
    const code = verdict.granted ? 'granted' : verdict.refusal.body.code;
    response.setHeader('connection', 'close').end(JSON.stringify({ worker: process.pid, code }));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
}

const acts: Readonly<Record<string, () => void | Promise<void>>> = {
  /** Makes a guard and has nothing else to do. */
  idle: () => void aGuard(),
  /** Waits for a guard and has nothing else to do. */
  ready: async () => {
    const guard = aGuard();
    await guard.ready();
    console.log(JSON.stringify(guard.status()));
  },
  /** Closes a guard and has nothing else to do. */
  close: async () => {
    const guard = aGuard();
    await guard.ready();
    await guard.close();
    console.log('closed');
  },
  cluster: async () => {
    if (cluster.isWorker) return serve();
    for (let count = 0; count < workers; count += 1) cluster.fork();
    let listening = 0;
    cluster.on('message', (_worker, address: unknown) => {
      listening += 1;
      if (listening === workers) console.log(JSON.stringify(address));
    });
  },
};

await acts[process.argv[2] ?? '']?.();
