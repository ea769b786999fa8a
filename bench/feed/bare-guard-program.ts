// The least that a guard does, in a process of its own: it notes which tokens a server names.
import { get } from 'node:http';
import { now } from '../../test/chaos/moment.ts';
import type { GuardOrders, Order, Report } from './messages.ts';

const { node } = JSON.parse(process.env['ORDERS'] ?? '{}') as GuardOrders;

let places = new Map<string, number>();
let refusedAt = new Float64Array();
let isCurrent = false;
let rest = '';

get(`${node}/feed`, (answer) => {
  isCurrent = true;
  answer.setEncoding('latin1');
  answer.on('data', (piece: string) => {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const token of lines) refusedAt[places.get(token) ?? -1] = now();
  });
});

function obey({ number, learn, checkAll }: Order): Report {
  if (learn !== undefined) {
    places = new Map(learn.tokens.map((token, place) => [token, place]));
    refusedAt = new Float64Array(learn.tokens.length).fill(Number.NaN);
  }
  const verdicts =
    checkAll === true ? [...refusedAt].map((at) => (Number.isNaN(at) ? 'granted' : 'token_revoked')) : [];
  const { user, system } = process.cpuUsage();
  return { number, verdicts, refusedAt, turnedAway: 0, checks: 0, processorTime: (user + system) / 1000, isCurrent };
}

process.on('message', (order: Order) => process.send?.(obey(order)));
process.on('disconnect', () => process.exit());
