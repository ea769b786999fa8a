import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { MaxStaleness } from '@sallyport/guard';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EmptyDatabase } from '../../packages/auth/test/databases.ts';
import { type PostgresServer, startPostgres } from '../../packages/auth/test/postgres-server.ts';
import { expectGaplessLog } from '../races/clients.ts';
import { type Fleet, startFleet } from '../races/fleet.ts';
import { patience, repetitions } from '../races/repetitions.ts';
import { runSallyport, temporaryFolder } from '../server-process.ts';
import { GuardProcess } from './guard-fleet.ts';
import { Proxy } from './proxy.ts';
import type { Heard } from './messages.ts';
import { Revocations, type Subject } from './revocations.ts';

/** How old the guards' knowledge may be, in seconds: tight, so that everything that goes wrong for longer is seen. */
const bound = 2;
const guardCount = 3;
const people = repetitions(4, 8);
const unheard: Heard = { checks: 0, unavailable: 0, last: 'unseen' };
const turns = repetitions(1, 8);
const unknown = { kind: 77, key: 'x', issuedUntil: new Date() };

describe('the feed, while everything breaks', () => {
  let database: PostgresServer;
  let empty: EmptyDatabase;
  let fleet: Fleet;
  let proxies: Proxy[];
  let credential: string;
  let revocations: Revocations;
  const guards: GuardProcess[] = [];
  /** Guards that are watched without being held to anything. */
  const observers: GuardProcess[] = [];

  beforeAll(async () => {
    database = await startPostgres();
    empty = await database.create();
    fleet = await startFleet(empty, () => ({}), 2);
    proxies = await Promise.all(fleet.servers.map(({ url }) => Proxy.before(url)));
    ({ credential } = (await sallyport('feed-credentials create chaos')) as { credential: string });
    const { id } = await fleet.auth.users.create({ username: 'ada', password: 'plum-otter-violin-91' });
    revocations = new Revocations(fleet, () => [...guards, ...observers], id);
    guards.push(...(await Promise.all(Array.from({ length: guardCount }, () => startGuard()))));
    await untilAllFollow();
  }, patience);
  afterAll(async () => {
    await revocations.stop();
    await Promise.all([...guards, ...observers].map((guard) => guard.end()));
    await fleet.stop();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await database.stop();
  }, patience);

  /** Runs the command line on the database of the servers. */
  async function sallyport(line: string): Promise<unknown> {
    const folder = temporaryFolder();
    const { status, stdout, stderr } = await runSallyport([...line.split(' '), '--json'], folder, fleet.env);
    rmSync(folder, { recursive: true, force: true });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as unknown;
  }

  async function startGuard(maxStaleness: MaxStaleness = bound): Promise<GuardProcess> {
    const nodes = proxies.map(({ url }) => url);
    const guard = await GuardProcess.start({
      issuer: fleet.env['ISSUER'] ?? '',
      nodes,
      credential,
      maxStaleness,
    });
    guard.tell({ watch: revocations.subjects.map(({ token }) => token) });
    return guard;
  }

  const untilAllFollow = (): Promise<void> =>
    vi.waitFor(
      async () => {
        const { incarnation, head } = await fleet.auth.changes.readSince(Number.MAX_SAFE_INTEGER);
        const cursor = `${incarnation}.${String(head)}`;
        const reports = await Promise.all(guards.map((guard) => guard.report()));
        expect(reports.map(({ status }) => status)).toEqual(
          guards.map(() => expect.objectContaining({ ready: true, connected: true, lag: 0, cursor })),
        );
      },
      { timeout: 60_000, interval: 50 },
    );

  /** Lets something happen while people come and go, and holds every verdict of every guard against what was acknowledged. */
  async function during(happening: () => Promise<unknown>): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) {
      revocations.forget();
      revocations.start(people);
      await revocations.more(10);
      await happening();
      await revocations.more(10);
      await revocations.stop();
      await untilAllFollow();
      await expectTruth();
    }
    await expectGaplessLog(fleet);
  }

  /** Whether a guard granted a token for longer than it may after the revocation was acknowledged. */
  const isLate = ({ acknowledgedAt = Number.POSITIVE_INFINITY }: Subject, { lastGranted = 0 }: Heard): boolean =>
    lastGranted > acknowledgedAt + bound * 1000;

  async function expectTruth(): Promise<void> {
    const { subjects } = revocations;
    const reports = await vi.waitFor(
      async () => {
        const found = await Promise.all(guards.map((guard) => guard.report()));
        for (const { heard } of found) {
          for (const { token, askedAt, acknowledgedAt } of subjects) {
            if (acknowledgedAt !== undefined) expect(heard[token]?.last).toBe('token_revoked');
            if (askedAt === undefined) expect(heard[token]?.last).toBe('granted');
          }
        }
        return found;
      },
      { timeout: 30_000, interval: 50 },
    );
    const verdicts = reports.flatMap(({ heard }) =>
      subjects.map((subject) => ({ subject, heard: heard[subject.token] ?? unheard })),
    );
    expect({
      acceptedPastTheBound: verdicts.filter(({ subject, heard }) => isLate(subject, heard)),
      honestTurnedAway: verdicts.filter(
        ({ subject, heard }) => subject.askedAt === undefined && heard.firstRefused !== undefined,
      ),
    }).toEqual({ acceptedPastTheBound: [], honestTurnedAway: [] });
    const sum = (member: 'checks' | 'unavailable'): number =>
      verdicts.reduce((all, { heard }) => all + heard[member], 0);
    console.log(`${subjects.length} tokens, ${sum('checks')} checks, of which ${sum('unavailable')} were put off`);
  }

  const randomServer = (): number => Math.floor(Math.random() * fleet.servers.length);
  const signal = (index: number, name: NodeJS.Signals): void => void fleet.servers[index]?.program.child.kill(name);

  it('confirms a revocation when every guard has it', { timeout: patience }, async () => {
    const subject = await revocations.signIn();
    const token = subject?.token ?? '';
    const confirmation = await vi.waitFor(
      async () => {
        const revoked = (await sallyport('sessions revoke --user ada --confirm')) as { confirmation: unknown };
        expect(revoked.confirmation).toMatchObject({ acknowledged: guardCount, lapsed: 0, pending: 0 });
        return revoked.confirmation;
      },
      { timeout: 60_000 },
    );
    console.log(confirmation);
    for (const guard of guards) await vi.waitFor(async () => expect(await lastOf(guard, token)).toBe('token_revoked'));
    revocations.forget();
  });

  it('holds while servers are killed', { timeout: patience }, () => during(() => fleet.restart(randomServer())));

  it('holds while guards are killed and others start', { timeout: patience }, () =>
    during(async () => {
      await guards.shift()?.end();
      guards.push(await startGuard());
    }),
  );

  it('holds while a server stands still, and then both', { timeout: patience }, () =>
    during(async () => {
      for (const indexes of [[randomServer()], [0, 1]]) {
        for (const index of indexes) signal(index, 'SIGSTOP');
        await pause(bound * 1000 + 1000);
        for (const index of indexes) signal(index, 'SIGCONT');
      }
    }),
  );

  it('holds while a guard stands still', { timeout: patience }, () =>
    during(async () => {
      guards[0]?.child.kill('SIGSTOP');
      await pause(bound * 1000 + 1000);
      guards[0]?.child.kill('SIGCONT');
    }),
  );

  it('holds while PostgreSQL is stopped at once', { timeout: patience }, () =>
    during(async () => {
      await database.crash();
      await pause(bound * 1000 + 500);
      await database.start();
    }),
  );

  it('holds while connections are cut', { timeout: patience }, () =>
    during(async () => {
      for (let cut = 0; cut < repetitions(5, 30); cut += 1) {
        for (const proxy of proxies) proxy.cut();
        await pause(Math.random() * 300);
      }
    }),
  );

  it('holds while a middlebox holds streams back although their connections live', { timeout: patience }, async () => {
    // What happens to a guard that believes in its connection shows that this test would see it.
    const believer = await startGuard('until-expiry');
    observers.push(believer);
    await vi.waitFor(async () => expect((await believer.report()).status.connected).toBe(true), { timeout: 30_000 });
    await during(async () => {
      for (const proxy of proxies) proxy.streamDelay = repetitions(4000, 6000);
      await pause(repetitions(4000, 20_000));
      for (const proxy of proxies) proxy.streamDelay = 0;
    });
    const { heard } = await believer.report();
    await believer.end();
    expect(revocations.subjects.filter((subject) => isLate(subject, heard[subject.token] ?? unheard))).not.toEqual([]);
  });

  it('holds while no server hears that there is news', { timeout: patience }, () =>
    during(async () => {
      const operator = await anOperator(new URL(empty.url).pathname.slice(1));
      const listeners = `from pg_stat_activity where datname = current_database() and query ilike 'listen %'`;
      for (let cut = 0; cut < repetitions(10, 100); cut += 1) {
        await operator.query(`select pg_terminate_backend(pid) ${listeners}`);
        await pause(20);
      }
      await operator.end();
    }),
  );

  it('holds while servers are stopped and started one after the other', { timeout: patience }, () =>
    during(async () => {
      for (const index of fleet.servers.keys()) {
        await fleet.servers[index]?.program.stop('SIGTERM');
        await fleet.revive(index);
      }
    }),
  );

  const lastOf = async (guard: GuardProcess, token: string): Promise<string | undefined> =>
    (await guard.report()).heard[token]?.last;

  it('goes on beside entries of unknown kinds', { timeout: patience }, async () => {
    const store = empty.connect();
    await during(() => store.append({ ...unknown, critical: false }));
    await store.close();
  });

  it('revives nothing when the database is restored from a backup', { timeout: patience }, async () => {
    const operator = await anOperator('postgres');
    const [name, backup] = [new URL(empty.url).pathname.slice(1), `backup_${String(Date.now())}`];
    const copy = async (from: string, to: string): Promise<void> => {
      await vi.waitFor(
        async () => {
          await operator.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`);
          await operator.query(`create database ${to} template ${from}`);
        },
        { timeout: 30_000 },
      );
    };
    const stopAll = () => Promise.all([...fleet.servers.keys()].map((index) => fleet.kill(index)));
    const startAll = () => Promise.all([...fleet.servers.keys()].map((index) => fleet.revive(index)));
    revocations.start(people);
    await revocations.more(10);
    await revocations.stop();
    await stopAll();
    await copy(name, backup);
    await startAll();
    revocations.start(people);
    // What is revoked from here on the backup knows nothing of.
    await revocations.more(10);
    await revocations.stop();
    await untilAllFollow();
    await stopAll();
    await operator.query(`drop database ${name} with (force)`);
    await copy(backup, name);
    await operator.query(`drop database ${backup} with (force)`);
    await operator.end();
    await sallyport('recover');
    await startAll();
    await untilAllFollow();
    const before = revocations.subjects;
    const reports = await Promise.all(guards.map((guard) => guard.report()));
    const granted = reports.flatMap(({ heard }) => before.filter(({ token }) => heard[token]?.last === 'granted'));
    const late = reports.flatMap(({ heard }) =>
      before.filter((subject) => isLate(subject, heard[subject.token] ?? unheard)),
    );
    expect({ granted, late }).toEqual({ granted: [], late: [] });
    // Whoever signs in now is let in.
    revocations.forget();
    revocations.start(people);
    await revocations.more(10);
    await revocations.stop();
    await untilAllFollow();
    await expectTruth();
  });

  it('stops at an entry of an unknown kind that is critical', { timeout: patience }, async () => {
    const store = empty.connect();
    const subject = await revocations.signIn();
    await store.append({ ...unknown, critical: true });
    await store.close();
    guards.push(await startGuard());
    for (const guard of guards) {
      await vi.waitFor(async () => expect(await lastOf(guard, subject?.token ?? '')).toBe('temporarily_unavailable'), {
        timeout: 30_000,
      });
      const { status, heard } = await guard.report();
      expect(status.problem).toMatch(/of kind 77, .*upgrade @sallyport\/guard/);
      expect(revocations.honest.filter(({ token }) => heard[token]?.firstRefused !== undefined)).toEqual([]);
    }
  });

  async function anOperator(name: string): Promise<pg.Client> {
    const url = new URL(empty.url);
    url.pathname = `/${name}`;
    const operator = new pg.Client({ connectionString: url.href });
    operator.on('error', () => undefined);
    await operator.connect();
    return operator;
  }
});
