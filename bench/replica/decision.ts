import { changeKinds } from '@sallyport/guard';
import { ChangeTable } from '../../packages/guard/dist/replica/change-table.js';
import type { ChangeIndex } from '../../packages/guard/dist/replica/change-index.js';
import { PackedChanges } from '../../packages/guard/dist/replica/packed-changes.js';
import { type AccessToken, Knowledge } from '../../packages/guard/dist/replica/knowledge.js';
import { atMost, microseconds, section, type Target, type Topic } from '../report.ts';
import { measure, perSecond, repeat, type Contender } from '../rounds.ts';
import { anId, later, roleChanges, someChanges, someTokens } from './entries.ts';
import { aLog, follow } from './followed.ts';

const sizes = [1000, 100_000, 1_000_000] as const;
/** As many tokens as a guard remembers by default. */
const poolSize = 1000;

const names = {
  old: 'feed, old tokens',
  recent: 'feed, recent tokens',
  unseen: 'feed, old tokens never seen before',
  changed: 'feed without clocks, recent tokens, a session has ended since each was seen',
  clocks: 'both clocks, and no decision',
} as const;

/** Decides about a token; tells whether it was granted. */
type Decide = (token: AccessToken) => boolean;

function contend(name: string, decide: Decide, tokens: readonly AccessToken[]): Contender {
  return repeat(name, (index) => {
    const token = tokens[index % tokens.length];
    if (token === undefined || !decide(token)) throw new Error('A good token was refused');
  });
}

function someKnowledge(index: ChangeIndex, count: number): Knowledge {
  const knowledge = new Knowledge(index, 0);
  for (const change of [...someChanges(count), ...roleChanges(count + 1)]) knowledge.apply(change);
  knowledge.advance(count + 2);
  return knowledge;
}

const decideBy =
  (knowledge: Knowledge): Decide =>
  (token) =>
    knowledge.findRevocation(token) === undefined && knowledge.rightsOf(token.claims).roles.has('user');

/** Whenever all tokens have been decided about, another session ends. */
function whileSessionsEnd(knowledge: Knowledge): Decide {
  const decide = decideBy(knowledge);
  let decisions = 0;
  return (token) => {
    decisions += 1;
    if (decisions % poolSize === 0) {
      const sequence = knowledge.head + 1;
      const end = { kind: changeKinds.sessionDead, key: anId(), critical: true, expiresAt: later };
      knowledge.apply({ ...end, sequence });
      knowledge.advance(sequence);
    }
    return decide(token);
  };
}

const nanoseconds = (contender: string, results: readonly { name: string; speeds: readonly number[] }[]): number => {
  const measured = results.find(({ name }) => name === contender);
  return measured === undefined ? Number.NaN : 1e9 / perSecond(measured);
};

/** Bytes that a decision leaves on the heap. */
function garbageOf(decide: Decide, tokens: readonly AccessToken[]): number {
  const calls = 10 * tokens.length;
  const before = process.memoryUsage().heapUsed;
  for (let call = 0; call < calls; call += 1) {
    const token = tokens[call % tokens.length];
    if (token !== undefined) decide(token);
  }
  return Math.max(0, process.memoryUsage().heapUsed - before) / calls;
}

/** Everything a guard decides after the signature: staleness, revocation in every way there is, and the rights. */
export async function benchDecision(): Promise<Topic> {
  const [rows, targets]: [string[], Target[]] = [[], []];
  for (const count of sizes) {
    const server = await aLog(count);
    const { replica } = await follow(server);
    const byFeed: Decide = (token) => {
      const judgement = replica.judge(token, '', undefined);
      return typeof judgement === 'object' && 'roles' in judgement && judgement.roles.has('user');
    };
    const maps = decideBy(someKnowledge(new ChangeTable(), count));
    const changing = whileSessionsEnd(someKnowledge(new PackedChanges('0011001100110011', count), count));
    const [old, recent] = [someTokens(poolSize, 0), someTokens(poolSize, count + 2)];
    server.append({ kind: changeKinds.sessionDead, key: anId(), expiresAt: later });
    while (replica.status().cursor !== server.cursor) await new Promise(setImmediate);
    const contenders = [
      contend('maps, old tokens', maps, old),
      contend(names.old, byFeed, old),
      contend(names.recent, byFeed, recent),
      contend(names.changed, changing, recent),
      contend(names.clocks, () => performance.now() + Date.now() > 0, old),
      contend(names.unseen, ({ header, claims }) => byFeed({ header, claims: { ...claims } }), old),
    ];
    const results = await measure(contenders);
    for (const measured of results) {
      rows.push(`| ${count.toLocaleString('en')} | ${measured.name} | ${microseconds(perSecond(measured))} |`);
    }
    if (count === 1_000_000) {
      for (const name of [names.old, names.recent]) {
        targets.push(atMost(`Decision at 1e6 entries, ${name}`, nanoseconds(name, results), 400, ' ns'));
      }
      targets.push(atMost('Garbage of a decision', garbageOf(byFeed, old), 40, ' B'));
    }
    await replica.close();
    await server.stop();
  }
  const note = `A whole decision about a verified token that nothing hits: is the knowledge fresh enough, by both clocks; is the session, user, client,
organisation, key or token dead; what do its roles grant. 1000 tokens take turns. Old ones were made before the first entry, so
that everything must be looked up; recent ones after the guard had started, and only sessions have ended since. A token
that nothing has ended is looked at again for what came since, which is nothing in all rows but the one that says so. Tokens never
seen before are hashed first, and the figure includes copying their claims, which makes them new. \`maps\` is the replica of the
server's own process, without the clocks. What is left on the heap is what the two clocks give, and reading them
takes as long as the row says that decides nothing: on some machines it is most of the time there is.`;
  return { text: section('Decision', note, ['| entries | by | µs |', '|--:|---|--:|', ...rows]), targets };
}
