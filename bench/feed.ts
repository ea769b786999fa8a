import { setTimeout as pause } from 'node:timers/promises';
import { startDatabase } from './databases.ts';
import { startBareServers } from './feed/bare-servers.ts';
import { startServers } from './feed/servers.ts';
import { FollowedFleet, guardCount } from './feed/fleet.ts';
import { now } from '../test/chaos/moment.ts';
import type { Report } from './feed/messages.ts';
import { sum } from './feed/processor-time.ts';
import { callsOf, carryOut, type Plan, type Run, type Use, useBetween } from './feed/runs.ts';
import { atMost, section, targetTable, type Target, type Topic } from './report.ts';
import { quantile } from './rounds.ts';

/** Where the servers keep their data, and how many there are. */
const settings: readonly Setting[] = [
  { database: 'PostgreSQL', servers: 2 },
  { database: 'PostgreSQL', servers: 2, isBare: true },
  { database: 'SQLite in a file', servers: 3 },
];

interface Setting {
  readonly database: string;
  readonly servers: number;
  /** Whether all of them do the least that a feed takes: what this machine can do at best. */
  readonly isBare?: true;
}

/** What everything is warm after: until their code is compiled, processes need more of the processors than there is. */
const warmUps: readonly Plan[] = [
  { name: 'revoke, at first', perSecond: 500, seconds: 20, confirm: false },
  { name: 'revoke and confirm, at first', perSecond: 500, seconds: 20, confirm: true },
];
const full: Plan = { name: 'revoke', perSecond: 500, seconds: 6, confirm: false };
const fullConfirmed: Plan = { name: 'revoke and confirm', perSecond: 500, seconds: 5, confirm: true };
/** How often these two are measured: other people's work on this machine comes and goes. */
const rounds = 5;
const plans: readonly Plan[] = [
  ...Array.from({ length: rounds }, () => [full, fullConfirmed]).flat(),
  { name: 'revoke', perSecond: 100, seconds: 8, confirm: false },
  { name: 'revoke and confirm', perSecond: 100, seconds: 6, confirm: true },
];
const honest = 100;
const idleSeconds = 20;
/** How long everybody may still be busy with what was before, in milliseconds. */
const settling = 10_000;

interface Result {
  readonly setting: Setting;
  readonly runs: readonly Run[];
  /** Processors in use while nothing happens, and by the guard that uses most. */
  readonly idle: Use & { readonly guard: number };
  /** Revoked tokens that a guard grants at the end, counted for each guard. */
  readonly missed: number;
  /** How often an honest token was not granted. */
  readonly turnedAway: number;
  readonly checks: number;
}

async function measureIdle(fleet: FollowedFleet): Promise<Result['idle']> {
  await pause(settling);
  const [before, begun] = [await fleet.processorTimes(), now()];
  await pause(idleSeconds * 1000);
  const [after, elapsed] = [await fleet.processorTimes(), now() - begun];
  const guards = after.guards.map((time, index) => (time - (before.guards[index] ?? 0)) / elapsed);
  return { ...useBetween(before, after, elapsed), guard: Math.max(...guards) };
}

/** How many verdicts of all guards on the tokens of a range are another one than is right. */
function wrong(reports: readonly Report[], right: string, from: number, to?: number): number {
  return reports.flatMap(({ verdicts }) => verdicts.slice(from, to)).filter((code) => code !== right).length;
}

async function measureFleet(setting: Setting): Promise<Result> {
  const { database: name, servers, isBare = false } = setting;
  const start = isBare ? startBareServers : startServers;
  const database = await startDatabase(name);
  const fleet = await FollowedFleet.following(await start(await database.create(), servers));
  try {
    const carriedOut = [...warmUps, ...plans].filter(({ confirm }) => !(isBare && confirm));
    const revoked = carriedOut.reduce((count, plan) => count + callsOf(plan), 0);
    const tokens = await fleet.issue(revoked + honest);
    await fleet.ask({ learn: { tokens, honest } });
    if (wrong(await fleet.ask({ checkAll: true }), 'granted', 0) > 0) throw new Error('A good token was refused');
    const idle = await measureIdle(fleet);
    const runs: Run[] = [];
    let from = 0;
    for (const plan of carriedOut) {
      runs.push(await carryOut(plan, fleet, tokens, from));
      from += callsOf(plan);
    }
    const reports = await fleet.ask({ checkAll: true });
    const total = (member: 'turnedAway' | 'checks'): number => sum(reports.map((report) => report[member]));
    return {
      setting,
      runs,
      idle,
      missed: wrong(reports, 'token_revoked', 0, revoked),
      turnedAway: total('turnedAway') + wrong(reports, 'granted', revoked),
      checks: total('checks'),
    };
  } finally {
    await fleet.stop();
    await database.stop();
  }
}

const nameOf = ({ database, isBare }: Setting): string => (isBare ? `${database}, the least` : database);

function targetsOf({ setting: { database, isBare }, runs, idle, missed, turnedAway }: Result): Target[] {
  if (isBare) return [];
  const of = (plan: Plan, times: keyof Run & `until${string}`, share: number): number =>
    Math.min(...runs.filter((run) => run.plan === plan).map((run) => quantile(run[times], share)));
  const at = `${database}, ${String(full.perSecond)}/s, quietest of ${String(rounds)} rounds`;
  return [
    atMost(`${at}: from the call until all ${guardCount} guards refuse, p50`, of(full, 'untilAll', 0.5), 5, ' ms'),
    atMost(`${at}: … p99`, of(full, 'untilAll', 0.99), 50, ' ms'),
    atMost(`${at}: confirmed by all guards, p99`, of(fullConfirmed, 'untilAnswer', 0.99), 50, ' ms'),
    atMost(`${database}: revoked tokens that a guard grants at the end`, missed, 0),
    atMost(`${database}: honest tokens turned away`, turnedAway, 0),
    atMost(`${database}: an idle guard, of one processor`, 100 * idle.guard, 1, ' %'),
  ];
}

const spread = (values: readonly number[]): string =>
  [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1)).join(' / ');

function latencyRow(database: string, { plan, asked, answered, ...latencies }: Run): string {
  const { untilAnswer, untilEach, untilAll, afterAnswer } = latencies;
  const columns = [
    ...[asked, answered].map((rate) => rate.toFixed(0)),
    ...[untilAnswer, untilEach, untilAll, afterAnswer].map(spread),
  ];
  return `| ${database} | ${plan.name} | ${columns.join(' | ')} |`;
}

function useRow(database: string, what: string, { servers, guards, load, machine }: Use): string {
  const percent = [servers, guards, load, machine].map((share) => (100 * share).toFixed(0));
  return `| ${database} | ${what} | ${percent.join(' | ')} |`;
}

function repetitionsOf(results: readonly Result[]): string {
  const repetitions = sum(results.flatMap(({ runs }) => runs.map((run) => run.repetitions)));
  const often = repetitions === 0 ? 'was never necessary' : `happened ${repetitions} times`;
  return `A server that answers 503 is asked again, which counts as one call: it ${often}.`;
}

function latencyTable(results: readonly Result[]): string {
  const note = `Milliseconds, p50 / p99 / longest. The servers take the revocations in turn, at \`POST /token/revoke\`; each guard, a process of
its own, follows one of them, and has granted every token before. A token counts as refused from the end of the check on that
said so. The guards check right after anything has come from their server, as a request is checked that comes at the same
moment. Calls are made when they are due, whether or not those before were answered, on at most 64 connections to each server.
${repetitionsOf(results)}
What revokes, what checks, the servers and the database share the processors of this machine: where they are too few for the
calls that were asked for, calls wait for each other, and the figures say how long. "At first" nothing is warm: programs that
have just been started need more processor time than there is until their code is compiled, some seconds in which calls pile
up. All other rows come after that. At the end every guard checks every token.
"The least" is what this machine can do at best: as many processes, which append tokens to a table, hear of it and name them to
those who follow, by node:http and pg alone. They check no token, know no sessions, sign nothing, log nothing, and guards that
note the names are their guards.`;
  const head = [
    '| database | call | asked/s | answered/s | call → answer | call → refused by each guard | call → refused by all | answer → refused by all |',
    '|---|---|--:|--:|--:|--:|--:|--:|',
  ];
  const rows = results.flatMap(({ setting, runs }) => runs.map((run) => latencyRow(nameOf(setting), run)));
  return section('From the revocation to the refusal', note, [...head, ...rows]);
}

function processorUse(results: readonly Result[]): string {
  const checks = results
    .filter(({ setting }) => !setting.isBare)
    .map(({ setting, checks: count }) => `${count.toLocaleString('en')} on ${setting.database}`)
    .join(', ');
  const note = `Percent of one processor. The ${guardCount} guards are taken together, their checks (${checks}) included; the machine is everything on
it, the database included, and full at the number of its processors times 100.`;
  const head = ['| database | while | servers | guards | who revokes | machine |', '|---|---|--:|--:|--:|--:|'];
  const rows = results.flatMap(({ setting, runs, idle }) => [
    useRow(nameOf(setting), 'idle', idle),
    ...runs.map(({ plan, answered, use }) => useRow(nameOf(setting), `${plan.name}, ${answered.toFixed(0)}/s`, use)),
  ]);
  return section('Processors', note, [...head, ...rows]);
}

/** From the revocation of a token to its refusal in every guard, between processes, over the feed. */
export async function benchFeed(): Promise<string> {
  const results: Result[] = [];
  for (const setting of settings) results.push(await measureFleet(setting));
  const topic: Topic = {
    text: [latencyTable(results), processorUse(results)].join('\n\n'),
    targets: results.flatMap(targetsOf),
  };
  const how = settings
    .filter(({ isBare }) => !isBare)
    .map(({ database, servers }) => `${String(servers)} server processes on ${database}`)
    .join(', ');
  return [`${how}, ${String(guardCount)} guard processes each.`, targetTable(topic.targets), topic.text].join('\n\n');
}
