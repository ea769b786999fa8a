import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJwk } from '@sallyport/jwt';
import { temporaryFolder } from '../../test/server-process.ts';
import { aBenchKey } from '../jwt/keys.ts';
import { aToken, aTokenPool, audience, issuer, typ } from '../jwt/tokens.ts';
import { shuffled } from '../rounds.ts';
import { load, type Served } from './load.ts';
import { type CommonSettings, guardedRoutes, type Route, type Server, type Start } from './servers.ts';

/** One way to be asked: for a route, by the bearers of a few tokens or by nobody twice before many others. */
export interface Visit {
  readonly route: Route;
  readonly tokens: 'few' | 'distinct';
}

/** A server, and how it is asked. */
export interface Entry {
  readonly start: Start;
  readonly visits: readonly Visit[];
}

/** What one server did on each of some visits, round by round. */
export type Results = ReadonlyMap<Visit, readonly Served[]>;

const counts = { few: 16, distinct: 8000 } as const satisfies Record<Visit['tokens'], number>;

const todos = ['water the plants', 'mend the gate', 'write to Grace'].map((title, index) => ({
  id: index + 1,
  title,
  done: index === 1,
}));

/** What every server and every client is given. */
interface Scene {
  readonly folder: string;
  readonly settings: CommonSettings;
  readonly tokenFiles: Readonly<Record<Visit['tokens'], string>>;
}

/**
 * Puts servers under load. They take turns in every round, each with all its visits in a row and in a new order, so that
 * what else the machine does hits what is compared alike.
 */
export async function contest(entries: readonly Entry[], rounds: number): Promise<Results[]> {
  const scene = await setScene();
  const contestants: Contestant[] = [];
  try {
    for (const { start, visits } of entries) {
      const server = await start(scene.settings);
      contestants.push({ server, results: new Map(visits.map((visit) => [visit, []])) });
      await mustBeGuarded(server);
    }
    await takeTurns(contestants, scene);
    for (const { results } of contestants) for (const warmingUp of results.values()) warmingUp.length = 0;
    for (let round = 0; round < rounds; round += 1) await takeTurns(contestants, scene);
    return contestants.map(({ results }) => results);
  } finally {
    for (const { server } of contestants) await server.program.stop();
    rmSync(scene.folder, { recursive: true });
  }
}

interface Contestant {
  readonly server: Server;
  readonly results: ReadonlyMap<Visit, Served[]>;
}

async function takeTurns(contestants: readonly Contestant[], { tokenFiles }: Scene): Promise<void> {
  for (const { server, results } of shuffled(contestants)) {
    for (const [{ route, tokens }, served] of shuffled([...results])) {
      served.push(await load(server, route, tokenFiles[tokens]));
    }
  }
}

async function setScene(): Promise<Scene> {
  const key = await aBenchKey('HS256');
  const secret = exportJwk(key.own.signing).k ?? '';
  const folder = temporaryFolder();
  const write = (tokens: Visit['tokens']): string => {
    const file = join(folder, tokens);
    writeFileSync(file, `${aTokenPool(key, counts[tokens]).tokens.join('\n')}\n`);
    return file;
  };
  return {
    folder,
    settings: { secret, issuer, audience, typ, todos },
    tokenFiles: { few: write('few'), distinct: write('distinct') },
  };
}

/** A guard that lets everybody in is quick. */
async function mustBeGuarded({ url }: Server): Promise<void> {
  const headers = { authorization: `Bearer ${aToken(await aBenchKey('HS256'))}` };
  for (const route of guardedRoutes) {
    const { status } = await fetch(url + route, { headers });
    if (status !== 401) throw new Error(`${url}${route} answered a token of a stranger with ${String(status)}`);
  }
}
