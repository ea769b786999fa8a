import { openRefreshAlone, openWholeEngine, type PolicyName } from './rotation/engines.ts';
import { thieves } from './rotation/parties.ts';
import { agree, networks, openSimulator, type Simulator, type Theft } from './rotation/simulation.ts';

/** `ROTATION_MONTHS=1000` for a finer answer; the default keeps within a minute. */
const months = Number(process.env['ROTATION_MONTHS'] ?? 150);
const thefts = 150;
const agreementSeeds = [1, 2, 3];
const policies: readonly PolicyName[] = ['resilient', 'strict'];
const minute = 60_000;
/** The longest pause between two refreshes of one party, in minutes. */
const interval = 10.6;

async function falseLogouts(simulator: Simulator, network: keyof typeof networks): Promise<string> {
  let [signedOut, presentations] = [0, 0];
  for (let seed = 1; seed <= months; seed += 1) {
    const month = await simulator.month(seed, networks[network]);
    if (month.signedOut) signedOut += 1;
    presentations += month.outcomes.length;
  }
  return `${String(Math.round((signedOut * 1000) / months))} (${String(signedOut)} of ${String(months)}, ${String(presentations)} presentations)`;
}

async function lifetimes(simulator: Simulator): Promise<string[]> {
  const cells: string[] = [];
  for (const thief of thieves) {
    const found: Theft[] = [];
    for (let seed = 1; seed <= thefts; seed += 1) found.push(await simulator.theft(seed, thief));
    cells.push(describeThefts(found));
  }
  return cells;
}

function describeThefts(found: readonly Theft[]): string {
  const ended = found
    .flatMap((theft) => (theft.kind === 'ended' ? [theft.after / minute] : []))
    .toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (ended[Math.min(ended.length - 1, Math.floor(ended.length * share))] ?? NaN).toFixed(1);
  const inStep = found.filter((theft) => theft.kind === 'ended' && theft.after > interval * minute).length;
  const late = found.some((theft) => theft.kind === 'ended' && theft.afterParting > interval * minute);
  const share = (kind: Theft['kind']): number => found.filter((theft) => theft.kind === kind).length / found.length;
  const parts = [
    ...(share('blocked') > 0 ? [`${percent(share('blocked'))} blocked`] : []),
    ...(share('undetected') > 0 ? [`**${percent(share('undetected'))} never found**`] : []),
    ...(late ? ['**later than the next refresh**'] : []),
    ...(ended.length > 0 ? [`${at(0.5)} / ${at(0.95)} / ${at(1)}`] : []),
    ...(inStep > 0 ? [`${String(inStep)} in step`] : []),
  ];
  return parts.join(', ');
}

const percent = (share: number): string => `${String(Math.round(share * 100))} %`;

/**
 * Simulates honest users and thieves against the engine's own refresh: what a policy costs, and what it is worth.
 *
 * Honest users race with tabs, lose answers and sleep; a thief copies a token and uses it in one of four ways.
 */
export async function benchRotation(): Promise<string> {
  const rows: string[] = [];
  for (const policy of policies) {
    const simulator = await openSimulator(policy, openRefreshAlone);
    const logouts = [await falseLogouts(simulator, 'standard'), await falseLogouts(simulator, 'harsh')];
    rows.push(`| ${policy} | ${[...logouts, ...(await lifetimes(simulator))].join(' | ')} |`);
  }
  const whole = await openSimulator('resilient', openWholeEngine);
  const compared = await agree(await openSimulator('resilient', openRefreshAlone), whole, agreementSeeds);
  await whole.close();
  return [
    'Who is signed out by mistake, and how long a thief stays.',
    '',
    `False logouts per 1,000 user-months, on a standard network (${describe('standard')}) and a harsh one (${describe('harsh')}).`,
    'Thieves: minutes from the first success to the end of the session, p50 / p95 / longest; access tokens live 10 minutes,',
    'so users refresh every 10 minutes. The thief:',
    ...thieves.map(({ name, does }) => `${name} ${does};`),
    'Once the two present tokens more than the 15 s of grace apart, the next refresh of either ends the session; thefts that',
    'lasted longer than one refresh were in step with the user until then, and are counted.',
    `${String(thefts)} thefts each on a perfect network. Users: 8 hours a day, 30 % of refreshes race in 2 to 6 requests, a lost`,
    'answer is asked for again, one in ten times after hours; any refusal counts as signed out.',
    '',
    '| policy | standard | harsh | A | B | C | D |',
    '|---|--:|--:|--:|--:|--:|--:|',
    ...rows,
    '',
    `Driven: the engine's refresh over a store port in memory, for speed. ${String(agreementSeeds.length)} harsh user-months through`,
    `\`createAuth\` over SQLite in memory decided all ${String(compared)} presentations alike.`,
  ].join('\n');
}

function describe(network: keyof typeof networks): string {
  const { lost, stale } = networks[network];
  return `${(lost * 100).toFixed(1)} % of answers lost, ${(stale * 100).toFixed(2)} % stale tabs`;
}
