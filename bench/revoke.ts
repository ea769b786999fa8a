import type { Auth } from '@sallyport/auth';
import { databaseNames, startDatabase } from './databases.ts';
import { openStore, seed } from './refresh/sessions.ts';
import { median } from './rounds.ts';

const clientCounts = [1, 8, 64] as const;

/** How many rounds, and how many sessions each way of ending them ends in a round. */
const rounds = 5;
const sessionsPerRound = (clients: number): number => Math.min(1024, 32 * clients);

/** A session that lives, and its token. */
interface Session {
  readonly id: string;
  readonly refreshToken: string;
}

/** A way of ending a session durably. */
interface Way {
  readonly name: string;
  readonly end: (session: Session) => Promise<unknown>;
}

async function start(auth: Auth, userId: string, count: number): Promise<Session[]> {
  const sessions: Session[] = [];
  const lane = async (): Promise<void> => {
    while (sessions.length < count) {
      const { sessionId: id, refreshToken } = await auth.tokens.issue(userId);
      sessions.push({ id, refreshToken });
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return sessions.slice(0, count);
}

/** Ends sessions, so many at the same time; gives how many a second. */
async function speedOf({ end }: Way, sessions: readonly Session[], clients: number): Promise<number> {
  const begun = performance.now();
  let next = 0;
  const client = async (): Promise<void> => {
    for (let session = sessions[next]; session !== undefined; session = sessions[next]) {
      next += 1;
      await end(session);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (sessions.length * 1000) / (performance.now() - begun);
}

const shown = (speeds: readonly number[]): string =>
  `${median(speeds).toFixed(0)} (${Math.min(...speeds).toFixed(0)} to ${Math.max(...speeds).toFixed(0)})`;

async function contest(database: string, url: string): Promise<string[]> {
  const { auth } = await seed(url, 0);
  const store = openStore(url);
  const { id: userId } = await auth.users.create({ username: 'grace', password: 'plum-otter-violin-91' });
  const ways: readonly Way[] = [
    {
      name: 'a transaction each',
      end: async ({ id }) => {
        await store.sessions.find(id);
        await store.transaction(({ sessions }) => sessions.end(id, 'signed_out', new Date()));
      },
    },
    { name: 'engine', end: ({ refreshToken }) => auth.revoke(refreshToken) },
  ];
  const rows: string[] = [];
  for (const clients of clientCounts) {
    const speeds = ways.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, way] of ways.entries()) {
        const sessions = await start(auth, userId, sessionsPerRound(clients));
        speeds[index]?.push(await speedOf(way, sessions, clients));
      }
    }
    rows.push(
      ...ways.map(({ name }, index) => `| ${database} | ${clients} | ${name} | ${shown(speeds[index] ?? [])} |`),
    );
  }
  await store.close();
  await auth.close();
  return rows;
}

/** Durable revocations per second: the engine, whose revocations share commits, against one transaction for each. */
export async function benchRevoke(): Promise<string> {
  const results: string[] = [];
  for (const name of databaseNames) {
    const database = await startDatabase(name);
    try {
      results.push(...(await contest(name, (await database.create()).url)));
    } finally {
      await database.stop();
    }
  }
  return [
    'Durable revocations per second.',
    '',
    'So many clients end one session after another, each by its refresh token. `a transaction each` does the same reads and',
    'writes without sharing a commit: every transaction waits for the head row of the log until the one before is durable.',
    `Median of ${rounds} rounds (lowest to highest).`,
    '',
    '| store | clients | who | revocations/s |',
    '|---|--:|---|--:|',
    ...results,
  ].join('\n');
}
