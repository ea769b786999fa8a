import { benchCache } from './jwt/cache.ts';
import { benchCpu } from './jwt/cpu.ts';
import { benchRefuse } from './jwt/refuse.ts';
import { targetTable, type Topic } from './report.ts';
import { benchSign } from './jwt/sign.ts';
import { benchSize } from './jwt/size.ts';
import { benchVerify } from './jwt/verify.ts';
import { rounds } from './rounds.ts';

const topics = [benchVerify, benchSign, benchCpu, benchRefuse, benchSize, benchCache];

/** Measures the JWT core beside the primitive it stands on and beside its peers, and holds it against its aims. */
export async function benchJwt(): Promise<string> {
  const results: Topic[] = [];
  for (const bench of topics) results.push(await bench());
  const targets = results.flatMap((topic) => topic.targets);
  const how = `Medians of ${rounds} rounds, in each of which all contenders of a comparison take turns, in one process.`;
  return [how, targetTable(targets), ...results.map(({ text }) => text)].join('\n\n');
}
