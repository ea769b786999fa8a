// A resource server in a process of its own: it follows one server, and checks tokens while they are revoked.
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createGuard, type Verdict } from '@sallyport/guard';
import { remoteJwkSet } from '@sallyport/jwt';
import { now } from '../../test/chaos/moment.ts';
import type { GuardOrders, Order, Range, Report } from './messages.ts';

/** Tokens that are checked before others get their turn. */
const checksAtOnce = 100;
/** How many tokens are looked at besides those that must have been revoked: two servers' changes come in another order. */
const disorder = 100;

/** After how many pieces of the feed an honest token is checked. */
const piecesPerHonest = 4;

const { issuer, node, credential } = JSON.parse(process.env['ORDERS'] ?? '{}') as GuardOrders;
// Signatures that were checked are remembered: what is measured is the feed.
const guard = createGuard({
  issuer,
  audience: issuer,
  keys: remoteJwkSet(`${node}/.well-known/jwks.json`),
  cacheSize: 100_000,
  feed: { credential, nodes: [node] },
});

// As for a route.
const requirement = guard.resolve();

let tokens: readonly string[] = [];
let honest = 0;
let refusedAt = new Float64Array();
let checks = 0;
let turnedAway = 0;
let pieces = 0;

const check = (index: number): Verdict | Promise<Verdict> =>
  guard.check({ authorization: [`Bearer ${tokens[index] ?? ''}`] }, requirement);
const codeOf = (verdict: Verdict): string => (verdict.granted ? 'granted' : verdict.refusal.body.code);

/** Tokens that are being revoked, and not refused yet. */
let outstanding = new Set<number>();
/** How far the guard has come in the log. */
let position = 0;
/** Entries that have come, and of which no token is known that they concern. */
let unexplained = 0;

function watch({ from, to }: Range): void {
  outstanding = new Set(Array.from({ length: to - from }, (_, index) => from + index));
  position = currentPosition();
  unexplained = 0;
}

const currentPosition = (): number => Number(guard.status().cursor?.split('.')[1]);

/**
 * Checks the oldest tokens when entries have come, until as many are refused as came, and now and then an honest one. That
 * is as good as checking all of them over and over, which would leave the servers no processor.
 */
function checkOldest(): void {
  const reached = currentPosition();
  unexplained += reached - position;
  position = reached;
  if (outstanding.size === 0 || unexplained === 0) return;
  let looks = unexplained + disorder;
  for (const index of outstanding) {
    if (unexplained === 0 || looks === 0) break;
    looks -= 1;
    settle(check(index), (verdict) => note(index, verdict));
  }
  pieces += 1;
  if (pieces % piecesPerHonest !== 0) return;
  const someone = tokens.length - honest + ((pieces / piecesPerHonest) % honest);
  settle(check(someone), (verdict) => (turnedAway += verdict.granted ? 0 : 1));
}

function note(index: number, verdict: Verdict): void {
  checks += 1;
  if (codeOf(verdict) !== 'token_revoked' || !outstanding.delete(index)) return;
  refusedAt[index] = now();
  unexplained -= 1;
}

// Whatever a guard learns, it hears. Checked is right after that, as a request is that comes at the same moment.
subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket };
  socket.on('data', () => setImmediate(checkOldest));
});

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
