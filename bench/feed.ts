import { startDatabase } from './databases.ts';
import { startBareServers } from './feed/bare-servers.ts';
import { FollowedFleet, guardCount } from './feed/fleet.ts';
import { MeasuredFleet, type IdleUse, type Outcome } from './feed/measured-fleet.ts';
import { sum } from './feed/processor-time.ts';
import type { Plan, Run, Use } from './feed/runs.ts';
import { type FollowedServers, startServers } from './feed/servers.ts';
import { atMost, section, targetTable, type Target, type Topic } from './report.ts';
import { quantile } from './rounds.ts';

/** Where the servers keep their data, and how many there are. */
const settings: readonly Setting[] = [
  { database: 'PostgreSQL', servers: 2 },
  { database: 'SQLite in a file', servers: 3 },
];

interface Setting {
  readonly database: string;
  readonly servers: number;
}

/** What does the least that a feed takes beside each of them, and so tells how fast the machine is at that moment. */
const least: Setting = { database: 'PostgreSQL', servers: 2 };

/** What everything is warm after: until their code is compiled, processes need more of the processors than there is. */
const warmUps: readonly Plan[] = [
  { name: 'revoke, at first', perSecond: 500, seconds: 20, confirm: false },
  { name: 'revoke and confirm, at first', perSecond: 500, seconds: 20, confirm: true },
];
const leastWarmUp: Plan = { name: 'revoke, at first', perSecond: 500, seconds: 10, confirm: false };
const full: Plan = { name: 'revoke', perSecond: 500, seconds: 6, confirm: false };
const leastFull: Plan = { name: 'revoke', perSecond: 500, seconds: 4, confirm: false };
const fullConfirmed: Plan = { name: 'revoke and confirm', perSecond: 500, seconds: 5, confirm: true };
/** How often these three are measured, in turn: other people's work on this machine comes and goes. */
const rounds = 5;
const slow: readonly Plan[] = [
  { name: 'revoke', perSecond: 100, seconds: 8, confirm: false },
  { name: 'revoke and confirm', perSecond: 100, seconds: 6, confirm: true },
];

/** What was measured at about the same time. */
interface Round {
  readonly least: Run;
  readonly revoked: Run;
  readonly confirmed: Run;
}

interface Result extends Outcome {
  readonly setting: Setting;
  readonly idle: IdleUse;
  readonly warmUps: readonly Run[];
  readonly leastWarmUp: Run;
  readonly rounds: readonly Round[];
  readonly slow: readonly Run[];
}

/** Servers on a database of their own, and their guards. */
async function startFleet(
  { database: name, servers }: Setting,
  start: typeof startServers,
  plans: readonly Plan[],
): Promise<{ readonly fleet: MeasuredFleet; readonly stop: () => Promise<void> }> {
  const database = await startDatabase(name);
  const started: FollowedServers = await start(await database.create(), servers);
  const fleet = await MeasuredFleet.preparedFor(plans, await FollowedFleet.following(started));
  return {
    fleet,
    stop: async () => {
      await fleet.stop();
      await database.stop();
    },
  };
}

async function measureSetting(setting: Setting): Promise<Result> {
  const times = (plans: readonly Plan[]): Plan[] => Array.from({ length: rounds }, () => plans).flat();
  const ours = await startFleet(setting, startServers, [...warmUps, ...times([full, fullConfirmed]), ...slow]);
  const bare = await startFleet(least, startBareServers, [leastWarmUp, ...times([leastFull])]);
  try {
    const idle = await ours.fleet.idle();
    const leastAtFirst = await bare.fleet.carryOut(leastWarmUp);
    const atFirst = await inTurn(ours.fleet, warmUps);
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      measured.push({
        least: await bare.fleet.carryOut(leastFull),
        revoked: await ours.fleet.carryOut(full),
        confirmed: await ours.fleet.carryOut(fullConfirmed),
      });
    }
    const slowRuns = await inTurn(ours.fleet, slow);
    const outcome = await ours.fleet.outcome();
    return { setting, idle, warmUps: atFirst, leastWarmUp: leastAtFirst, rounds: measured, slow: slowRuns, ...outcome };
  } finally {
    await ours.stop();
    await bare.stop();
  }
}

async function inTurn(fleet: MeasuredFleet, plans: readonly Plan[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (const plan of plans) runs.push(await fleet.carryOut(plan));
  return runs;
}

function targetsOf({ setting: { database }, rounds: measured, idle, missed, turnedAway }: Result): Target[] {
  const quietest = (runs: readonly Run[], times: keyof Run & `until${string}`, share: number): number =>
    Math.min(...runs.map((run) => quantile(run[times], share)));
  const revoked = measured.map((round) => round.revoked);
  const confirmed = measured.map((round) => round.confirmed);
  const at = `${database}, ${String(full.perSecond)}/s, quietest of ${String(rounds)} rounds`;
  return [
    atMost(
      `${at}: from the call until all ${guardCount} guards refuse, p50`,
      quietest(revoked, 'untilAll', 0.5),
      5,
      ' ms',
    ),
    atMost(`${at}: … p99`, quietest(revoked, 'untilAll', 0.99), 50, ' ms'),
    atMost(`${at}: confirmed by all guards, p99`, quietest(confirmed, 'untilAnswer', 0.99), 50, ' ms'),
    atMost(`${database}: revoked tokens that a guard grants at the end`, missed, 0),
    atMost(`${database}: honest tokens turned away`, turnedAway, 0),
    atMost(`${database}: an idle guard, of one processor`, 100 * idle.guard, 1, ' %'),
  ];
}

/** All runs by the names of what carried them out, in their order. */
function runsOf({ setting: { database }, ...result }: Result): { readonly by: string; readonly run: Run }[] {
  const byOurs = (run: Run): { by: string; run: Run } => ({ by: database, run });
  const byLeast = (run: Run): { by: string; run: Run } => ({ by: `the least, beside ${database}`, run });
  return [
    byLeast(result.leastWarmUp),
    ...result.warmUps.map(byOurs),
    ...result.rounds.flatMap(({ least: bare, revoked, confirmed }) => [
      byLeast(bare),
      byOurs(revoked),
      byOurs(confirmed),
    ]),
    ...result.slow.map(byOurs),
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
  const repetitions = sum(results.flatMap(runsOf).map(({ run }) => run.repetitions));
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
"The least" is what this machine can do at best: ${least.servers} processes, which append tokens to a table of PostgreSQL, hear of it and
name them to those who follow, by node:http and pg alone. They check no token, know no sessions, sign nothing, log nothing, and
guards that note the names are their guards.`;
  const head = [
    '| database | call | asked/s | answered/s | call → answer | call → refused by each guard | call → refused by all | answer → refused by all |',
    '|---|---|--:|--:|--:|--:|--:|--:|',
  ];
  const rows = results.flatMap(runsOf).map(({ by, run }) => latencyRow(by, run));
  return section('From the revocation to the refusal', note, [...head, ...rows]);
}

function processorUse(results: readonly Result[]): string {
  const checks = results
    .map(({ setting, checks: count }) => `${count.toLocaleString('en')} on ${setting.database}`)
    .join(', ');
  const note = `Percent of one processor. The ${guardCount} guards are taken together, their checks (${checks}) included; the machine is everything on
it, the database included, and full at the number of its processors times 100.`;
  const head = ['| database | while | servers | guards | who revokes | machine |', '|---|---|--:|--:|--:|--:|'];
  const rows = results.flatMap((result) => [
    useRow(result.setting.database, 'idle', result.idle),
    ...runsOf(result).map(({ by, run }) => useRow(by, `${run.plan.name}, ${run.answered.toFixed(0)}/s`, run.use)),
  ]);
  return section('Processors', note, [...head, ...rows]);
}

/** How fast the machine was in each round, and what that made of it. */
function quietness(results: readonly Result[]): string {
  const note = `What "the least" does is the same in every round, and none of it our code: how long that takes, and how much of a processor,
tells how fast this machine was right before the two measurements of the same row. Milliseconds, p50 / p99.`;
  const head = [
    '| database | round | the least: refused by all | … its servers | refused by all | confirmed |',
    '|---|--:|--:|--:|--:|--:|',
  ];
  const pair = (values: readonly number[]): string =>
    [0.5, 0.99].map((share) => quantile(values, share).toFixed(1)).join(' / ');
  const rows = results.flatMap(({ setting, rounds: measured }) =>
    measured.map(({ least: bare, revoked, confirmed }, index) => {
      const servers = `${(100 * bare.use.servers).toFixed(0)} %`;
      const columns = [pair(bare.untilAll), servers, pair(revoked.untilAll), pair(confirmed.untilAnswer)];
      return `| ${setting.database} | ${index + 1} | ${columns.join(' | ')} |`;
    }),
  );
  return section('How quiet the machine was', note, [...head, ...rows]);
}

/** From the revocation of a token to its refusal in every guard, between processes, over the feed. */
export async function benchFeed(): Promise<string> {
  const results: Result[] = [];
  for (const setting of settings) results.push(await measureSetting(setting));
  const topic: Topic = {
    text: [quietness(results), latencyTable(results), processorUse(results)].join('\n\n'),
    targets: results.flatMap(targetsOf),
  };
  const how = settings.map(({ database, servers }) => `${String(servers)} server processes on ${database}`).join(', ');
  return [`${how}, ${String(guardCount)} guard processes each.`, targetTable(topic.targets), topic.text].join('\n\n');
}
