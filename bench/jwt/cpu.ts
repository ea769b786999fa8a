import { measure, timeRatio, type Contender } from '../rounds.ts';
import { aBenchKey } from './keys.ts';
import { contend, createdVerifier, joseVerifier, peerVerifiers } from './libraries.ts';
import { aProvenVerifier } from './proofs.ts';
import { atLeast, ratioRow, section, type Topic } from '../report.ts';
import { aTokenPool } from './tokens.ts';

const inFlight = 32;

/** CPU time of all threads of the process: what works in a thread pool is no cheaper, only elsewhere. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Verifies distinct HS256 tokens, as many at once as a busy server has, and counts CPU time. */
export async function benchCpu(): Promise<Topic> {
  const key = await aBenchKey('HS256');
  const pool = aTokenPool(key);
  const contenders: Contender[] = [];
  for (const library of [createdVerifier, ...peerVerifiers]) {
    const verify = await aProvenVerifier(library, key);
    contenders.push(contend(library, (index) => verify(pool.at(index)), inFlight));
  }
  const results = await measure(contenders, { milliseconds: 50, clock: cpuMilliseconds });
  const [own] = results;
  const jose = results.find(({ name }) => name === joseVerifier.name);
  if (own === undefined || jose === undefined) throw new Error('Nothing was measured');
  const note = `HS256, distinct tokens, CPU time of all threads; what answers with promises has ${inFlight} calls in flight.
The ratios are times: 2.00 takes twice the CPU of sallyport.`;
  const head = ['| operation | by | calls/CPU s | CPU µs | min | median | max |', '|---|---|--:|--:|--:|--:|--:|'];
  const rows = results.map((measured) => ratioRow('HS256 verify', measured, timeRatio(measured, own)));
  return {
    text: section('CPU time under concurrency', note, [...head, ...rows]),
    targets: [atLeast(`HS256 verify, CPU of jose / ${own.name}`, timeRatio(jose, own).median, 4, ' ×')],
  };
}
