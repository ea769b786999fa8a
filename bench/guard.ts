import { contest, type Results, type Visit } from './guard/contest.ts';
import type { Served } from './guard/load.ts';
import { type Framework, frameworks, otherServer, ownServer } from './guard/servers.ts';
import { atLeast, section, type Target, targetTable, type Topic } from './report.ts';
import { type Measured, median, perSecond, ratio, type Ratio } from './rounds.ts';

const rounds = 5;

/** A guarded route as it is asked, and how much of the open one it must reach. */
interface Subject extends Visit {
  readonly name: string;
  readonly aim?: number;
}

const open: Subject = { route: '/open', tokens: 'distinct', name: 'open' };

/** The caches hold 1000 tokens: none of the distinct ones is known when it comes again. */
const guarded: readonly Subject[] = [
  { route: '/cached', tokens: 'few', name: '16 tokens, cache', aim: 0.9 },
  { route: '/uncached', tokens: 'distinct', name: 'distinct tokens, no cache', aim: 0.7 },
  { route: '/cached', tokens: 'distinct', name: 'distinct tokens, cache in vain' },
];

/** What is left to a guard whose own code costs nothing, in the same processes as ours. */
const floors: readonly Subject[] = [
  { route: '/known', tokens: 'few', name: '16 tokens, a map of them, no checks' },
  { route: '/unchecked', tokens: 'distinct', name: 'distinct tokens, node:crypto + JSON, no checks' },
];

/** The same route, open and guarded, by us and by what a user would pick instead, in each framework. */
export async function benchGuard(): Promise<string> {
  const topics: Topic[] = [];
  for (const framework of frameworks) topics.push(await compare(framework));
  const note = `One route answers three items of JSON, open and behind a guard for HS256 tokens of about 500 bytes. Ours asks for a
scope as well; its peers check what they can of signature, lifetime, issuer, audience and type, with the key in the form
that is quickest for them. Only @fastify/jwt has a cache besides us. Each server is a process of its own, wrk another,
with 32 connections and the same headers for the open route. \`more\` is the CPU time the guard adds to a request. The rows
without checks stand in our server for the least that any guard does: they find the token in a map, or compute its MAC
and parse its payload in the plainest way.`;
  const head = [
    '| framework | guard | asked by | requests/s | requests/CPU s | CPU µs | more | to open: min | median | max |',
    '|---|---|---|--:|--:|--:|--:|--:|--:|--:|',
  ];
  return [
    `Medians of ${String(rounds)} rounds, in each of which ours and its peer take turns, a second for each way to be asked. Throughput is
requests per second of the server's CPU: what else the machine does weighs less on that than on the clock.`,
    targetTable(topics.flatMap(({ targets }) => targets)),
    section('Guarded and open', note, [...head, ...topics.map(({ text }) => text)]),
  ].join('\n\n');
}

async function compare(framework: Framework): Promise<Topic> {
  const visits = [open, ...guarded];
  const ownVisits = [...visits, ...floors];
  const [own, peer] = await contest(
    [
      { start: ownServer(framework), visits: ownVisits },
      { start: otherServer(framework), visits },
    ],
    rounds,
  );
  if (own === undefined || peer === undefined) throw new Error('Nothing was measured');
  const rows = [
    ...ownVisits.map((subject) => `| ${framework.name} | sallyport | ${cellsOf(subject, own)} |`),
    ...visits.map((subject) => `| ${framework.name} | ${framework.peerName} | ${cellsOf(subject, peer)} |`),
  ];
  return { text: rows.join('\n'), targets: guarded.flatMap((subject) => targetsOf(framework, subject, own, peer)) };
}

function targetsOf({ name, peerName }: Framework, subject: Subject, own: Results, peer: Results): Target[] {
  if (subject.aim === undefined) return [];
  const what = `${name}, ${subject.name}`;
  const ahead = ratio(speeds(subject, own), speeds(subject, peer));
  return [
    atLeast(`${what}: guarded / open`, toOpen(subject, own).median, subject.aim, ' ×'),
    atLeast(`${what}: sallyport / ${peerName}`, ahead.median, 1, ' ×'),
  ];
}

function cellsOf(subject: Subject, results: Results): string {
  const speed = speeds(subject, results);
  const unguarded = speeds(open, results);
  const more = speed.speeds.map((each, round) => 1e6 / each - 1e6 / (unguarded.speeds[round] ?? Number.NaN));
  const byClock = median(servedOn(subject, results).map((served) => served.perSecond));
  const { min, median: middle, max } = toOpen(subject, results);
  return [
    subject.name,
    byClock.toFixed(0),
    perSecond(speed).toFixed(0),
    (1e6 / perSecond(speed)).toFixed(1),
    median(more).toFixed(1),
    ...[min, middle, max].map((value) => value.toFixed(2)),
  ].join(' | ');
}

function toOpen(subject: Subject, results: Results): Ratio {
  return ratio(speeds(subject, results), speeds(open, results));
}

function speeds(subject: Subject, results: Results): Measured {
  return { name: subject.name, speeds: servedOn(subject, results).map(({ perCpuSecond }) => perCpuSecond) };
}

function servedOn(subject: Subject, results: Results): readonly Served[] {
  return results.get(subject) ?? [];
}
