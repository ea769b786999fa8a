import { atMost, section, type Topic } from '../report.ts';
import { aLog, follow } from './followed.ts';

const entries = 1_000_000;
const runs = 7;

/** From nothing to ready: the snapshot is fetched, its proof checked, its entries loaded, the stream opened and echoed. */
export async function benchCatchUp(): Promise<Topic> {
  const server = await aLog(entries);
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const { replica, milliseconds } = await follow(server);
    if (replica.status().entries !== entries + 2) throw new Error('Not all of them are there');
    times.push(milliseconds);
    await replica.close();
  }
  await server.stop();
  const sorted = times.toSorted((a, b) => a - b);
  const [shortest = Number.NaN, median = Number.NaN] = [sorted[0], sorted[runs >> 1]];
  const note = `A guard that knows nothing is ready after ${median.toFixed(0)} ms in the middle of ${runs} runs (${sorted.map((each) => each.toFixed(0)).join(', ')}): 16 MB are fetched from a
server in the same process, hashed, checked and loaded, a little at a time.`;
  return {
    text: section('Catching up with a million entries', note, []),
    targets: [
      atMost('Catching up with 1e6 entries', median, 250, ' ms'),
      atMost('… in the quickest run', shortest, 250, ' ms'),
    ],
  };
}
