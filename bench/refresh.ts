import pg from 'pg';
import type { TestDatabase } from '../packages/auth/test/test-database.ts';
import { startDatabase } from './databases.ts';
import { barePostgres } from './refresh/bare-postgres.ts';
import { bareSqlite } from './refresh/bare-sqlite.ts';
import { engineContest } from './refresh/engine.ts';
import { httpContest } from './refresh/http.ts';
import type { Contest } from './refresh/sessions.ts';
import { measure, perSecond, ratio, type Measured, type Ratio } from './rounds.ts';

const clientCounts = [1, 8, 64] as const;

/** PostgreSQL does so by itself a minute after data has come, and plans by guesses until then. */
async function gatherStatistics(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('analyze');
  await client.end();
}

/** How long each contender works in a round, in milliseconds: some commits, also with a slow disk. */
const milliseconds = 240;

const stores: readonly {
  readonly name: string;
  readonly bare: (url: string, clients: number) => Promise<Contest>;
}[] = [
  { name: 'SQLite in a file', bare: bareSqlite },
  { name: 'PostgreSQL', bare: barePostgres },
];

const shown = ({ min, median, max }: Ratio): string => `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;

function rows(store: string, clients: number, [each, group, ...engines]: readonly Measured[]): string[] {
  if (each === undefined || group === undefined) return [];
  return [each, group, ...engines].map((one) => {
    const cells = [one.name, (perSecond(one) * clients).toFixed(0), shown(ratio(one, each)), shown(ratio(one, group))];
    return `| ${store} | ${String(clients)} | ${cells.join(' | ')} |`;
  });
}

async function contest(
  database: TestDatabase,
  bare: (typeof stores)[number]['bare'],
  clients: number,
): Promise<string[]> {
  const urls: string[] = [];
  const createUrl = async (): Promise<string> => {
    const { url } = await database.create();
    urls.push(url);
    return url;
  };
  const contests = [await bare(await createUrl(), clients), await engineContest(createUrl, clients)];
  for (const url of urls) if (url.startsWith('postgres:')) await gatherStatistics(url);
  try {
    const contenders = contests.flatMap((each) => each.contenders);
    return rows(database.name, clients, await measure(contenders, { milliseconds }));
  } finally {
    for (const each of contests) await each.close();
  }
}

async function httpRows(clients: number): Promise<string[]> {
  const servers = await httpContest(clients);
  try {
    const [bare, ...others] = await measure(servers.contenders, { milliseconds });
    if (bare === undefined) return [];
    const slowest = others.at(-1) ?? bare;
    return [bare, ...others].map((one) => {
      const cells = [
        one.name,
        (perSecond(one) * clients).toFixed(0),
        shown(ratio(one, bare)),
        shown(ratio(one, slowest)),
      ];
      return `| ${String(clients)} | ${cells.join(' | ')} |`;
    });
  } finally {
    await servers.close();
  }
}

/** Durable refreshes per second: the engine against the bare store doing the same statements. */
export async function benchRefresh(): Promise<string> {
  const results: string[] = [];
  for (const { name, bare } of stores) {
    const database = await startDatabase(name);
    try {
      for (const clients of clientCounts) results.push(...(await contest(database, bare, clients)));
    } finally {
      await database.stop();
    }
  }
  return [
    'So many clients refresh one after the other, each its own session. `bare` is the driver alone with the same two',
    'statements and no token; `rotation alone` is the engine without the access token, `signing` all of it. Ratios are',
    'taken in the same round: median (lowest to highest).',
    '',
    '| store | clients | who | refreshes/s | to one commit each | to group commit |',
    '|---|--:|---|--:|--:|--:|',
    ...results,
    '',
    '### Over HTTP, on SQLite',
    '',
    'Each server in a process of its own, the clients in another, on connections that stay open. `bare node:http` reads the',
    'body, does the same statements and writes an answer of the same length; it makes no token. With the engine it does, by',
    '`auth.refresh` and nothing else: what a server that costs nothing would reach. better-auth renews its session, which is',
    'the like of it there.',
    '',
    '| clients | who | refreshes/s | to bare | to better-auth |',
    '|--:|---|--:|--:|--:|',
    ...(await httpRows(64)),
  ].join('\n');
}
