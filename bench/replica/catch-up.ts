import { atMost, section, type Topic } from '../report.ts';
import { aLog, follow } from './followed.ts';

const entries = 1_000_000;
const runs = 7;

/** From nothing to ready: the snapshot is fetched, its proof checked, its entries loaded, the stream opened and echoed. */
export async function benchCatchUp(): Promise<Topic> {
  const server = await aLog(entries);
  const [times, cpuTimes]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    const { replica, milliseconds, cpuMilliseconds } = await follow(server);
    if (replica.status().entries !== entries + 2) throw new Error('Not all of them are there');
    times.push(milliseconds);
    cpuTimes.push(cpuMilliseconds);
    await replica.close();
  }
  await server.stop();
  const shown = (values: readonly number[]): string =>
    sorted(values)
      .map((each) => each.toFixed(0))
      .join(', ');
  const note = `From nothing to ready in ${runs} runs: ${shown(times)} ms; in processor time ${shown(cpuTimes)} ms. 16 MB are fetched
from a server in the same process, hashed, checked and loaded, a little at a time, and a stream is opened and echoes.`;
  return {
    text: section('Catching up with a million entries', note, []),
    targets: [
      atMost('Catching up with 1e6 entries', sorted(times)[runs >> 1] ?? Number.NaN, 250, ' ms'),
      atMost('… in processor time', sorted(cpuTimes)[runs >> 1] ?? Number.NaN, 250, ' ms'),
    ],
  };
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}
