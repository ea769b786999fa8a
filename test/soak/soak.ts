import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { openDatabase, type SoakedDatabase } from './databases.ts';
import { courseOf, measures, type Measure, type Sample } from './flatness.ts';
import { type Counts, putUnderLoad } from './load.ts';

const serverFile = fileURLToPath(new URL('server.ts', import.meta.url));

/** How much time passes on the server's clock: twice as long as anything is kept after it was over. */
const days = 5;
const samples = 120;
const jumps = days * 24;

/** What came of a run. */
export interface Soaked {
  /** Markdown. */
  readonly report: string;
  readonly isFlat: boolean;
}

/** Puts a server under load for a while, in which five days pass on its clock, hour by hour, and looks at what grows. */
export async function soak(name: string, minutes: number): Promise<Soaked> {
  const database = await openDatabase(name);
  const milliseconds = minutes * 60_000;
  const child = fork(serverFile, [database.url, String(milliseconds / jumps)], {
    execArgv: ['--expose-gc', '--import', 'tsx'],
  });
  try {
    const { port } = await told<{ port: number }>(child);
    let end = performance.now() + milliseconds;
    const isOver = (): boolean => performance.now() > end;
    const load = putUnderLoad(`http://127.0.0.1:${String(port)}`, isOver).catch((error: unknown) => {
      end = 0;
      throw error;
    });
    const [counts, seen] = await Promise.all([load, watch(child, database, milliseconds / samples, isOver)]);
    return report(database.name, minutes, counts, seen);
  } finally {
    if (child.connected) child.disconnect();
    if (child.exitCode === null) await once(child, 'exit');
    await database.close();
  }
}

/** The next thing a server tells; rejects when it ends instead. */
function told<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the server ended with ${String(code)}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Message);
    });
  });
}

async function watch(
  child: ChildProcess,
  database: SoakedDatabase,
  every: number,
  isOver: () => boolean,
): Promise<readonly Sample[]> {
  const seen: Sample[] = [];
  while (!isOver()) {
    await delay(every);
    const answer = told<Pick<Sample, 'rss' | 'heap' | 'files' | 'handles'>>(child);
    child.send('sample');
    seen.push({ ...(await answer), ...(await database.measure()) });
  }
  return seen;
}

function report(database: string, minutes: number, counts: Counts, seen: readonly Sample[]): Soaked {
  const courses = Object.entries(measures).map(([name, measure]) => {
    const values = seen.map((sample) => sample[name as keyof Sample]);
    return { measure, ...courseOf(values, measure) };
  });
  const rows = courses.map(({ measure, quarters, isFlat }) => {
    const cells = quarters.map((value) => shown(value, measure));
    return `| ${measure.name} | ${cells.join(' | ')} | ${isFlat ? 'flat' : '**grows**'} |`;
  });
  const isFlat = courses.every((course) => course.isFlat);
  const calls = Object.entries(counts).map(([kind, count]) => `${String(count)} ${kind}`);
  const text = [
    `${String(minutes)} minutes, in which ${String(days)} days passed on the server's clock: ${calls.join(', ')}. ${isFlat ? 'Flat.' : '**Not flat.**'}`,
    '',
    '| | 1st quarter | 2nd | 3rd | 4th | |',
    '|---|--:|--:|--:|--:|---|',
    ...rows,
  ];
  return { report: `## ${database}\n\n${text.join('\n')}`, isFlat };
}

function shown(value: number, { unit }: Measure): string {
  const number = value / unit.size;
  return `${unit.size === 1 ? String(number) : number.toFixed(1)} ${unit.name}`.trim();
}
