import { postgres } from '@sallyport/auth/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabases, type TestDatabase } from '../../packages/auth/test/databases.ts';
import { routes } from '../../packages/server/src/routes.ts';
import { type Answer, openServer, type TestServer } from '../../packages/server/test/http-server.ts';
import { type Cut, statementCutter } from '../postgres-statements.ts';
import { openProxy, type TcpProxy } from '../tcp-proxy.ts';
import { type Kind, kinds, type State, untried, type Victim } from './kinds-of-calls.ts';
import { patience, repetitions } from './repetitions.ts';
import { openVictims, secretKey, type Victims } from './victims.ts';

const fits = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);

/** Where a call of so many statements is cut: at a few of them, or before and after each. */
function cutsOf(statements: number): readonly Cut[] {
  const every = Array.from({ length: statements }, (_, index) => index + 1);
  const somewhere = 1 + Math.floor(Math.random() * statements);
  const places = repetitions([somewhere, statements], every);
  const before = places.map((place): Cut => ({ place, moment: 'before' }));
  const after = repetitions([statements], every).map((place): Cut => ({ place, moment: 'after' }));
  return [...before, ...after];
}

describe('R6 a connection to PostgreSQL that is lost at any statement, before it is done or after', () => {
  const cutter = statementCutter();
  let ahead = 0;
  const clock = (): Date => new Date(Date.now() + ahead);
  let database: TestDatabase;
  let proxy: TcpProxy;
  let victims: Victims;
  /** Everything it asks of the database goes through the proxy. */
  let server: TestServer;

  beforeAll(async () => {
    const found = testDatabases.find((each) => each.name === 'PostgreSQL');
    if (found === undefined) throw new Error('no PostgreSQL');
    database = await found.start();
    const { url, connect } = await database.create();
    victims = await openVictims(url, connect(), clock);
    const throughProxy = new URL(url);
    proxy = await openProxy(Number(throughProxy.port), cutter.relay);
    throughProxy.port = String(proxy.port);
    server = await openServer({ store: postgres(throughProxy.href), secretKey, clock });
  });
  afterAll(async () => {
    await server.auth.close();
    await victims.close();
    await proxy.close();
    await database.stop();
  });

  async function ask(kind: Kind, victim: Victim): Promise<Answer> {
    const [method, path, call] = kind.route(victim);
    if (kind.byAdministrator === undefined) return server.call(method, path, call);
    return server.call(method, path, { ...call, token: await victims.administrator() });
  }

  interface Undisturbed {
    readonly whole: State;
    readonly statements: number;
  }

  /** What a call leaves when nothing is in its way, and how many statements that takes, with what the server does meanwhile. */
  async function undisturbed(kind: Kind): Promise<Undisturbed> {
    const victim = await victims.make();
    const from = await victims.store.changes.head();
    cutter.arm({ place: Infinity, moment: 'before' });
    expect((await ask(kind, victim)).status).toBe(kind.status);
    const { statements } = cutter.disarm();
    return { whole: await victims.stateOf(victim, from), statements };
  }

  /** The one of three that took the fewest: the first may read keys and make connections. */
  async function leastOf(kind: Kind): Promise<Undisturbed> {
    const runs = [await undisturbed(kind), await undisturbed(kind), await undisturbed(kind)];
    return runs.reduce((least, run) => (run.statements < least.statements ? run : least));
  }

  /** Cuts, and tells whether it hit the call: servers read the log meanwhile. */
  async function cut(kind: Kind, where: Cut, whole: State): Promise<boolean> {
    // Keys are read at most once a second, however many tokens under unknown ones there are.
    ahead += 2000;
    const victim = await victims.make();
    const from = await victims.store.changes.head();
    const before = await victims.stateOf(victim, from);
    cutter.arm(where);
    const answer = await ask(kind, victim);
    const { hasCut } = cutter.disarm();
    const after = await victims.stateOf(victim, from);
    if (!hasCut || answer.status === kind.status) {
      // It took fewer statements this time, as something was known already, or somebody else's was hit.
      expect(answer.status).toBe(kind.status);
      expect(after).toEqual(whole);
      return false;
    }
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]/);
    const first = kind.firstStep?.(whole);
    expect([before, whole, ...(first === undefined ? [] : [first])]).toContainEqual(after);
    // The next call goes through: no restart, no pause.
    const again = await ask(kind, victim);
    expect([kind.status, ...(kind.again ?? [])]).toContain(again.status);
    if (JSON.stringify(after) === JSON.stringify(before)) {
      expect(again.status).toBe(kind.status);
      expect(await victims.stateOf(victim, from)).toEqual(whole);
    }
    return true;
  }

  it.each(kinds)(
    'leaves nothing half done of $name, answers 503, and is forgotten with the next call',
    { timeout: patience },
    async (kind) => {
      const { whole, statements } = await leastOf(kind);
      expect(statements).toBeGreaterThan(0);
      const cuts = cutsOf(statements);
      let hits = 0;
      // Once each, and again until one of them has hit this call and not what the server does meanwhile.
      for (let turn = 0; turn < cuts.length || (hits === 0 && turn < 10 * cuts.length); turn += 1) {
        const where = cuts[turn % cuts.length];
        if (where !== undefined && (await cut(kind, where, whole))) hits += 1;
      }
      expect(hits).toBeGreaterThan(0);
    },
  );

  it('is tried with every route that writes', () => {
    const victim = {
      id: '0',
      name: 'n',
      access: 'a',
      refresh: 'r',
      sessionId: 's',
      stolen: 't',
      keyId: 'k',
      role: 'o',
    };
    const tried = kinds.map(({ route }) => {
      const [method, path] = route(victim);
      return routes.find((each) => each.method === method && fits(each.path, path));
    });
    const missing = routes.filter((route) => route.method !== 'GET' && !tried.includes(route));
    expect(missing.map(({ method, path }) => `${method} ${path}`)).toEqual(Object.keys(untried));
  });

  it('leaves a change log without gaps', async () => {
    const { head, changes } = await victims.store.changes.readSince(0);
    expect(changes.map(({ sequence }) => sequence)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
  });
});
