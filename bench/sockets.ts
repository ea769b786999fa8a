import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { post } from '../test/http-client.ts';
import { type Fleet, startFleet } from '../test/races/fleet.ts';
import { startDatabase } from './databases.ts';
import { atMost, section, targetTable } from './report.ts';
import { quantile } from './rounds.ts';
import { type AppProcess, startApp } from './sockets/app-process.ts';

const processes = 2;
/** Sessions that are revoked, and how long after one another, in milliseconds. */
const count = 400;
const interval = 20;

/** A kind of connection that stays: opens one, and resolves with when it heard that it has ended. */
interface Kind {
  readonly name: string;
  readonly open: (host: string, token: string) => Promise<{ readonly ended: Promise<number> }>;
}

const kinds: readonly Kind[] = [
  { name: 'WebSocket', open: openWebSocket },
  { name: 'event stream', open: openEventStream },
];

async function openWebSocket(host: string, token: string): Promise<{ ended: Promise<number> }> {
  const socket = new WebSocket(`ws://${host}/`, { headers: { authorization: `Bearer ${token}` } });
  const ended = new Promise<number>((resolve, reject) => {
    socket.on('close', (code, reason) => {
      if (code === 4401 && String(reason) === 'token_revoked') resolve(performance.now());
      else reject(new Error(`closed with ${String(code)} ${String(reason)}`));
    });
  });
  await once(socket, 'message');
  return { ended };
}

async function openEventStream(host: string, token: string): Promise<{ ended: Promise<number> }> {
  const request = get(`http://${host}/`, { headers: { authorization: `Bearer ${token}` }, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  const ended = new Promise<number>((resolve) => {
    response.on('data', (data: string) => {
      if (data.includes('event: access-lost')) resolve(performance.now());
    });
  });
  await once(response, 'data');
  return { ended };
}

/** Keeps a connection of this kind to every process for every session, revokes one after the other; milliseconds each. */
async function measure({ open }: Kind, fleet: Fleet, apps: readonly AppProcess[], userId: string): Promise<number[]> {
  const waits: Promise<number>[] = [];
  const connected: { token: string; ended: readonly Promise<number>[] }[] = [];
  for (let session = 0; session < count; session += 1) {
    const { accessToken: token } = await fleet.auth.tokens.issue(userId);
    const connections = await Promise.all(apps.map(({ host }) => open(host, token)));
    connected.push({ token, ended: connections.map(({ ended }) => ended) });
  }
  for (const { token, ended } of connected) {
    const calledAt = performance.now();
    const answered = post(`${fleet.next()}/token/revoke`, { token });
    waits.push(...ended.map(async (end) => (await end) - calledAt));
    await answered;
    await pause(interval);
  }
  return Promise.all(waits);
}

/** From the revocation of a session to the end of its connections, in processes of their own. */
export async function benchSockets(): Promise<string> {
  const database = await startDatabase('PostgreSQL');
  const fleet = await startFleet(await database.create(), () => ({}), processes);
  const { credential } = await fleet.auth.feed.credentials.create('sockets');
  const { id } = await fleet.auth.users.create({ username: 'ada', password: 'plum-otter-violin-91' });
  const orders = fleet.servers.map(({ url }) => ({ issuer: fleet.auth.issuer, node: url, credential }));
  const apps = await Promise.all(orders.map(startApp));
  try {
    const results: { name: string; latencies: readonly number[] }[] = [];
    for (const kind of kinds) {
      results.push({ name: kind.name, latencies: await measure(kind, fleet, apps, id) });
    }
    const targets = results.map(({ name, latencies }) =>
      atMost(`${name}: from the call to the end of the connection, p99`, quantile(latencies, 0.99), 100, ' ms'),
    );
    const rows = results.map(({ name, latencies }) => {
      const figures = [0.5, 0.99, 1].map((share) => quantile(latencies, share).toFixed(1));
      return `| ${name} | ${String(latencies.length)} | ${figures.join(' | ')} |`;
    });
    const note = `Each of ${String(count)} sessions keeps a connection to both of two processes, each of which follows one of two servers on
PostgreSQL. They are revoked one after the other at \`POST /token/revoke\` of the servers in turn; the client hears of the end.`;
    const head = ['| connection | ended | p50, ms | p99 | longest |', '|---|--:|--:|--:|--:|'];
    return [targetTable(targets), section('From the revocation to the end', note, [...head, ...rows])].join('\n\n');
  } finally {
    await Promise.all(apps.map((app) => app.stop()));
    await fleet.stop();
    await database.stop();
  }
}
