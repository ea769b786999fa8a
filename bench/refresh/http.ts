import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProgram, untilAnswers, type RunningProgram } from '../../test/child-process.ts';
import { startServer, temporaryFolder } from '../../test/server-process.ts';
import { root } from '../../test/source-files.ts';
import { peerServer } from '../peer-server.ts';
import type { Contender } from '../rounds.ts';
import { Connection, type Answer } from './connection.ts';
import { everyClient, secretKey, seed, type Contest } from './sessions.ts';

/** A server to refresh at, and what its clients hold. */
interface Contestant {
  readonly name: string;
  readonly url: string;
  readonly tokens: readonly string[];
  /** Refreshes once; what it returns is what the client has for the next time. */
  readonly refresh: (connection: Connection, token: string) => Promise<string>;
  readonly stop: () => Promise<unknown>;
}

/** Refreshes over HTTP, each server in a process of its own, on SQLite: bare, ours, and what a user would pick instead. */
export async function httpContest(clients: number): Promise<Contest> {
  const contestants = [
    await bareServer(clients, 'rotation'),
    await bareServer(clients, 'engine'),
    await ownServer(clients, 'HS256'),
    await ownServer(clients, 'ES256'),
    await betterAuth(clients),
  ];
  const contests = await Promise.all(contestants.map(contest));
  return {
    contenders: contests.map(({ contender }) => contender),
    close: async () => {
      for (const { connections } of contests) for (const connection of connections) connection.close();
      for (const { stop } of contestants) await stop();
    },
  };
}

async function contest({ name, url, tokens, refresh }: Contestant): Promise<{
  readonly contender: Contender;
  readonly connections: readonly Connection[];
}> {
  const connections = await Promise.all(tokens.map(() => Connection.open(url)));
  const items = connections.map((connection, index) => ({ connection, token: tokens[index] ?? '' }));
  const contender = everyClient(name, items, async ({ connection, token }) => ({
    connection,
    token: await refresh(connection, token),
  }));
  return { contender, connections };
}

const bareNames = {
  rotation: 'bare node:http, group commit',
  engine: 'bare node:http, the engine, signing HS256',
} as const;

async function bareServer(clients: number, what: keyof typeof bareNames): Promise<Contestant> {
  const folder = temporaryFolder();
  const file = join(folder, 'bare.db');
  const { auth, sessions } = await seed(`file:${file}`, clients);
  await auth.close();
  const port = String(await freePort());
  const program = startProgram(['--import', 'tsx', join(root, 'bench/refresh/bare-http-server.ts'), port, file, what]);
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(url, program);
  return {
    name: bareNames[what],
    url,
    tokens: sessions.map(({ sessionId, refreshToken }) => (what === 'engine' ? refreshToken : sessionId)),
    refresh: byTokenEndpoint,
    stop: () => endProgram(program, folder),
  };
}

async function ownServer(clients: number, algorithm: 'HS256' | 'ES256'): Promise<Contestant> {
  const folder = temporaryFolder();
  const file = join(folder, 'own.db');
  const { auth, sessions } = await seed(`file:${file}`, clients, algorithm);
  await auth.close();
  const environment = { DATABASE_URL: `file:${file}`, SECRET_KEY: secretKey, ALGORITHM: algorithm, LOG_LEVEL: 'info' };
  const server = await startServer(environment, folder);
  return {
    name: `sallyport, signing ${algorithm}`,
    url: server.url,
    tokens: sessions.map(({ refreshToken }) => refreshToken),
    refresh: byTokenEndpoint,
    stop: () => server.remove(),
  };
}

async function byTokenEndpoint(connection: Connection, token: string): Promise<string> {
  const { body } = good(await connection.send('POST', '/token/refresh', `{"refresh_token":"${token}"}`));
  return (JSON.parse(body) as { refresh_token: string }).refresh_token;
}

async function betterAuth(clients: number): Promise<Contestant> {
  const folder = temporaryFolder();
  const port = String(await freePort());
  const program = startProgram([peerServer('better-auth'), port, join(folder, 'better-auth.db')]);
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/api/auth/ok`, program);
  const account = JSON.stringify({ email: 'ada@example.com', password: 'plum-otter-violin-91', name: 'ada' });
  const connection = await Connection.open(url);
  good(await connection.send('POST', '/api/auth/sign-up/email', account));
  const tokens: string[] = [];
  for (let client = 0; client < clients; client += 1) {
    const { head } = good(await connection.send('POST', '/api/auth/sign-in/email', account));
    tokens.push(/^set-cookie: *([^;]*)/im.exec(head)?.[1] ?? '');
  }
  connection.close();
  return {
    name: 'better-auth, session renewed',
    url,
    tokens,
    refresh: async (own, cookie) => {
      const { body } = good(await own.send('GET', '/api/auth/get-session', '', `Cookie: ${cookie}\r\n`));
      if (!body.includes('expiresAt')) throw new Error('the session was not found');
      return cookie;
    },
    stop: () => endProgram(program, folder),
  };
}

function good(answer: Answer): Answer {
  if (answer.status !== 200) throw new Error(`answered ${String(answer.status)}: ${answer.body}`);
  return answer;
}

async function endProgram(program: RunningProgram, folder: string): Promise<void> {
  await program.stop();
  await rm(folder, { recursive: true, force: true });
}
