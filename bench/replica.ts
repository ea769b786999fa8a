import { benchCatchUp } from './replica/catch-up.ts';
import { benchDecision } from './replica/decision.ts';
import { benchTable } from './replica/table.ts';
import { targetTable, type Topic } from './report.ts';
import { rounds } from './rounds.ts';

const topics = [benchTable, benchDecision, benchCatchUp];

/** Measures what a guard that follows the feed does for every request, and holds it against its aims. */
export async function benchReplica(): Promise<string> {
  const results: Topic[] = [];
  for (const bench of topics) results.push(await bench());
  const how = `Medians of ${rounds} rounds in which all contenders take turns, in one process, where nothing else is said.`;
  return [how, targetTable(results.flatMap(({ targets }) => targets)), ...results.map(({ text }) => text)].join('\n\n');
}
