import { rmSync } from 'node:fs';
import { type Auth, createAuth, type TokenPair } from '@sallyport/auth';
import type { EmptyDatabase } from '../../packages/auth/test/databases.ts';
import { type Answer, get, post } from '../http-client.ts';
import { type ServerProcess, startServer, temporaryFolder } from '../server-process.ts';

const secretKey = 'kZ3vX9qLw7RtBn2YcJf5HgMd8PsUaE4T-Q_1oViWy6GxNzCbDhSe';
const issuer = 'http://127.0.0.1:8000';

/** Several servers on one database, and an engine of the test's own on it. */
export interface Fleet {
  readonly servers: ServerProcess[];
  /** Makes users and sessions without passwords, and looks into the database. */
  readonly auth: Auth;
  /** What the command line needs to work on the same database. */
  readonly env: Environment;
  /** The address of one of the servers, in turn. */
  readonly next: () => string;
  readonly kill: (index: number) => Promise<void>;
  /** Starts a server that was killed again, on its port. */
  readonly revive: (index: number) => Promise<void>;
  /** Both. */
  readonly restart: (index: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export type Environment = Readonly<Record<string, string>>;

/** What every server of a fleet on a database is told. */
export function fleetEnvironment({ url }: Pick<EmptyDatabase, 'url'>, more: Environment = {}): Environment {
  const common = { SECRET_KEY: secretKey, ISSUER: issuer, LOG_LEVEL: 'info', LOG_FORMAT: 'json' };
  return { ...common, DATABASE_URL: url, ...more };
}

/** Starts some servers on a database; `envOf` adds to the environment of each. */
export async function startFleet(
  { url, connect }: EmptyDatabase,
  envOf: (index: number) => Environment = () => ({}),
  size = 3,
): Promise<Fleet> {
  const auth = await createAuth({ issuer, store: connect(), secretKey });
  const env = fleetEnvironment({ url });
  const servers = await Promise.all(
    Array.from({ length: size }, (_, index) => startServer({ ...env, ...envOf(index) }, temporaryFolder())),
  );
  let turn = 0;
  const kill = async (index: number): Promise<void> => {
    await servers[index]?.program.stop('SIGKILL');
  };
  const revive = async (index: number): Promise<void> => {
    const again = await servers[index]?.restart();
    if (again !== undefined) servers[index] = again;
  };
  return {
    servers,
    auth,
    env,
    next: () => {
      turn += 1;
      return urlOf(servers, turn);
    },
    kill,
    revive,
    restart: async (index) => {
      await kill(index);
      await revive(index);
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.program.stop()));
      for (const { folder } of servers) rmSync(folder, { recursive: true, force: true });
      await auth.close();
    },
  };
}

function urlOf(servers: readonly ServerProcess[], turn: number): string {
  const server = servers[turn % servers.length];
  if (server === undefined) throw new Error('a fleet without servers');
  return server.url;
}

/** The tokens a client holds. */
export interface Held {
  readonly access: string;
  readonly refresh: string;
}

export function held({ accessToken, refreshToken }: TokenPair): Held {
  return { access: accessToken, refresh: refreshToken };
}

/** Tokens out of an answer of the token endpoint; undefined when it refused. Anything but that is a fault. */
export function heldIn({ status, body }: Answer): Held | undefined {
  const { access_token: access, refresh_token: refresh } = body;
  if (status === 200 && typeof access === 'string' && typeof refresh === 'string') return { access, refresh };
  if (status === 400 && body['error'] === 'invalid_grant') return undefined;
  throw new Error(`neither tokens nor invalid_grant: ${String(status)} ${JSON.stringify(body)}`);
}

export const refreshAt = (url: string, token: string): Promise<Answer> =>
  post(`${url}/token/refresh`, { refresh_token: token });

/** The events of a type that hold a text, by the logs of all servers since `from`. */
export function eventsOf(
  { servers }: Fleet,
  type: string,
  text: string,
  from: readonly number[] = [],
): Readonly<Record<string, unknown>>[] {
  return servers.flatMap(({ program }, index) =>
    program
      .output()
      .slice(from[index] ?? 0)
      .split('\n')
      .filter((line) => line.includes(`"${type}"`) && line.includes(text))
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}

/** What the servers' logs say became of a session's tokens since `from`, one list of outcomes for all of them. */
export function outcomesOf(fleet: Fleet, sessionId: string, from: readonly number[] = []): string[] {
  return eventsOf(fleet, 'refresh_presented', sessionId, from).map(({ outcome }) => String(outcome));
}

export const logLengths = ({ servers }: Fleet): number[] => servers.map(({ program }) => program.output().length);

/** Every status the servers give for an access token. */
export async function statusesOf(fleet: Fleet, path: string, access: string): Promise<number[]> {
  return Promise.all(fleet.servers.map(async ({ url }) => (await get(`${url}${path}`, access)).status));
}
