import { join } from 'node:path';
import { freePort, type RunningProgram, startProgram, untilAnswers } from '../../test/child-process.ts';
import { root } from '../../test/source-files.ts';
import { peerServer } from '../peer-server.ts';

/** What every server is told. */
export interface CommonSettings {
  /** The HS256 key of the tokens, in base64url. */
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
  readonly typ: string;
  /** What its routes answer. */
  readonly todos: readonly object[];
}

/** What one server is told. */
export interface ServerSettings extends CommonSettings {
  readonly port: number;
}

/** Behind a guard that remembers verified tokens, if it can, and behind one that does not. */
export const guardedRoutes = ['/cached', '/uncached'] as const;

/** Behind less than any guard does: the bare primitive, and a bare map of tokens. Only our servers have them. */
const floorRoutes = ['/unchecked', '/known'] as const;

/** The routes of the servers. All give the same answer. */
export type Route = '/open' | (typeof guardedRoutes | typeof floorRoutes)[number];

/** A framework whose routes are guarded by us and, in another process, by what a user would pick instead. */
export interface Framework {
  readonly name: string;
  /** Its name in `server.ts`. */
  readonly own: string;
  /** The folder of its peer. */
  readonly peer: string;
  readonly peerName: string;
}

export const frameworks: readonly Framework[] = [
  { name: 'Express 5', own: 'express', peer: 'express-jwt', peerName: 'express-jwt' },
  { name: 'Fastify', own: 'fastify', peer: 'fastify-jwt', peerName: '@fastify/jwt' },
  { name: 'Hono', own: 'hono', peer: 'hono-jwt', peerName: 'hono/jwt' },
  { name: 'node:http', own: 'node', peer: 'jose', peerName: 'jose' },
];

/** A server under load. */
export interface Server {
  readonly url: string;
  readonly program: RunningProgram;
}

/** Starts a server. */
export type Start = (settings: CommonSettings) => Promise<Server>;

/** Starts the server of a framework with our guard. */
export function ownServer({ own }: Framework): Start {
  return (settings) => start(['--import', 'tsx', join(root, 'bench/guard/server.ts'), own], settings);
}

/** Starts the server of a framework with what stands in for our guard. */
export function otherServer({ peer }: Framework): Start {
  return (settings) => start([peerServer(peer)], settings);
}

async function start(args: readonly string[], settings: CommonSettings): Promise<Server> {
  const port = await freePort();
  const env = { NODE_ENV: 'production' };
  const program = startProgram([...args, JSON.stringify({ ...settings, port } satisfies ServerSettings)], { env });
  const url = `http://127.0.0.1:${String(port)}`;
  await untilAnswers(`${url}/open`, program);
  return { url, program };
}
