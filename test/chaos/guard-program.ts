// A resource server in a process of its own: it checks the tokens it is told of over and over, and remembers the verdicts.
import { setTimeout as pause } from 'node:timers/promises';
import { createGuard, type Verdict } from '@sallyport/guard';
import { remoteJwkSet } from '@sallyport/jwt';
import { now } from './moment.ts';
import type { GuardOrders, Order } from './messages.ts';

const { issuer, nodes, credential, maxStaleness } = JSON.parse(process.env['ORDERS'] ?? '{}') as GuardOrders;
const checkEvery = 40;
/** Checks before others get their turn. */
const checksAtOnce = 50;

const [first = ''] = nodes;
const keys = remoteJwkSet(`${first}/.well-known/jwks.json`, { cooldown: 0, timeout: 1 });
const guard = createGuard({ issuer, audience: issuer, keys, feed: { credential, nodes, maxStaleness } });

/** What is written down about one token. */
class Record {
  checks = 0;
  unavailable = 0;
  last = 'unseen';
  lastGranted?: number;
  firstRefused?: number;
  /** A check is under way: the next one need not wait for it, so that one slow answer holds up nothing else. */
  isAsked = false;
}

const heard = new Map<string, Record>();

function check(token: string, record: Record): void {
  if (record.isAsked) return;
  const at = now();
  const verdict = guard.check({ authorization: [`Bearer ${token}`] });
  if (!(verdict instanceof Promise)) {
    note(record, at, verdict);
    return;
  }
  record.isAsked = true;
  void verdict.then((settled) => note(record, at, settled)).finally(() => (record.isAsked = false));
}

function note(record: Record, at: number, verdict: Verdict): void {
  const code = verdict.granted ? 'granted' : verdict.refusal.body.code;
  record.checks += 1;
  record.last = code;
  if (code === 'granted') record.lastGranted = at;
  else if (code === 'temporarily_unavailable') record.unavailable += 1;
  else record.firstRefused ??= at;
}

async function checkAll(): Promise<never> {
  for (;;) {
    const started = now();
    let count = 0;
    for (const [token, record] of heard) {
      check(token, record);
      count += 1;
      if (count % checksAtOnce === 0) await pause(0);
    }
    await pause(Math.max(1, checkEvery - (now() - started)));
  }
}

process.on('message', (order: Order) => {
  if (order.forget === true) heard.clear();
  for (const token of order.watch ?? []) heard.set(token, new Record());
  if (order.report !== undefined) {
    process.send?.({ report: order.report, status: guard.status(), heard: Object.fromEntries(heard) });
  }
});
process.on('disconnect', () => process.exit());
void checkAll();
process.send?.({ report: 0, status: guard.status(), heard: {} });
