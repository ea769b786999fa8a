// A resource server in a process of its own: it follows one server, and checks tokens while they are revoked.
import { setTimeout as pause } from 'node:timers/promises';
import { createGuard, type Verdict } from '@sallyport/guard';
import { remoteJwkSet } from '@sallyport/jwt';
import { now } from '../../test/chaos/moment.ts';
import type { GuardOrders, Order, Report, Schedule } from './messages.ts';

/** How often tokens that are being revoked are checked, in milliseconds: as by clients that never tire. */
const checkEvery = 1;
/** Tokens that are checked before others get their turn. */
const checksAtOnce = 100;

const { issuer, node, credential } = JSON.parse(process.env['ORDERS'] ?? '{}') as GuardOrders;
// Signatures that were checked are remembered: what is measured is the feed.
const guard = createGuard({
  issuer,
  audience: issuer,
  keys: remoteJwkSet(`${node}/.well-known/jwks.json`),
  cacheSize: 100_000,
  feed: { credential, nodes: [node] },
});

let tokens: readonly string[] = [];
let honest = 0;
let refusedAt = new Float64Array();
let checks = 0;
let turnedAway = 0;

const check = (index: number): Verdict | Promise<Verdict> =>
  guard.check({ authorization: [`Bearer ${tokens[index] ?? ''}`] });
const codeOf = (verdict: Verdict): string => (verdict.granted ? 'granted' : verdict.refusal.body.code);

/** Checks every token that is due and not refused yet, and an honest one, until all of them are refused. */
function watch({ from, to, startAt, interval }: Schedule): void {
  const outstanding = new Set<number>();
  let due = from;
  const note = (index: number, verdict: Verdict): void => {
    checks += 1;
    if (codeOf(verdict) !== 'token_revoked') return;
    refusedAt[index] ||= now();
    outstanding.delete(index);
  };
  const checkDue = (): void => {
    for (; due < to && startAt + (due - from) * interval <= now(); due += 1) outstanding.add(due);
    for (const index of outstanding) settle(check(index), (verdict) => note(index, verdict));
    const someone = tokens.length - honest + (checks % honest);
    settle(check(someone), (verdict) => (turnedAway += verdict.granted ? 0 : 1));
    if (due === to && outstanding.size === 0) clearInterval(timer);
  };
  const timer = setInterval(checkDue, checkEvery);
}

/** A verdict counts from when it is there. */
function settle(verdict: Verdict | Promise<Verdict>, take: (verdict: Verdict) => void): void {
  if (verdict instanceof Promise) void verdict.then(take);
  else take(verdict);
}

async function checkAll(): Promise<string[]> {
  const verdicts: string[] = [];
  for (const index of tokens.keys()) {
    verdicts.push(codeOf(await check(index)));
    if (index % checksAtOnce === 0) await pause(0);
  }
  return verdicts;
}

async function obey(order: Order): Promise<Report> {
  if (order.learn !== undefined) {
    ({ tokens, honest } = order.learn);
    refusedAt = new Float64Array(tokens.length).fill(Number.NaN);
  }
  if (order.watch !== undefined) watch(order.watch);
  const verdicts = order.checkAll === true ? await checkAll() : [];
  const { user, system } = process.cpuUsage();
  const { ready, connected, lag } = guard.status();
  const isCurrent = ready && connected && lag === 0;
  const processorTime = (user + system) / 1000;
  return { number: order.number, verdicts, refusedAt, turnedAway, checks, processorTime, isCurrent };
}

process.on('message', (order: Order) => void obey(order).then((report) => process.send?.(report)));
process.on('disconnect', () => process.exit());
