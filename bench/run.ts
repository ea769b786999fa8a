// npm run bench [-- name …]: measures and writes RESULTS.md. Sections of benches that did not run stay as they are.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { benchFeed } from './feed.ts';
import { benchGuard } from './guard.ts';
import { benchJwt } from './jwt.ts';
import { benchRotation } from './rotation.ts';
import { benchRefresh } from './refresh.ts';
import { benchReplica } from './replica.ts';
import { benchRevoke } from './revoke.ts';
import { benchSockets } from './sockets.ts';
import { benchTokenSize } from './token-size.ts';
import { benchTypes } from './types.ts';

interface Bench {
  readonly measure: () => Promise<string>;
  /** Each major version of Node has a section of its own, so that their figures stand side by side. */
  readonly perNode: boolean;
}

const benches: Readonly<Record<string, Bench>> = {
  jwt: { measure: benchJwt, perNode: true },
  rotation: { measure: benchRotation, perNode: false },
  refresh: { measure: benchRefresh, perNode: false },
  revoke: { measure: benchRevoke, perNode: false },
  replica: { measure: benchReplica, perNode: false },
  feed: { measure: benchFeed, perNode: false },
  guard: { measure: benchGuard, perNode: false },
  sockets: { measure: benchSockets, perNode: false },
  types: { measure: benchTypes, perNode: false },
  'token-size': { measure: benchTokenSize, perNode: false },
};
const file = fileURLToPath(new URL('RESULTS.md', import.meta.url));

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`No bench is called ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}

/** Sections by heading. */
function sectionsOf(text: string): Map<string, string> {
  const sections = text.split(/^(?=## )/m).slice(1);
  return new Map(sections.map((section) => [/^## (.*)/.exec(section)?.[1] ?? '', section.trim()]));
}

function headingOf(name: string, { perNode }: Bench): string {
  return perNode ? `${name} on Node ${process.versions.node.split('.')[0] ?? ''}` : name;
}

/** Whether a section belongs to a bench, be it of this Node or of another. */
function isOf(heading: string, name: string, { perNode }: Bench): boolean {
  return perNode ? heading.startsWith(`${name} on Node `) : heading === name;
}

const sections = sectionsOf(existsSync(file) ? readFileSync(file, 'utf8') : '');
const machine = `Node ${process.versions.node}, ${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}`;
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const heading = headingOf(name, bench);
  const load = (loadavg()[0] ?? 0).toFixed(1);
  const section = `## ${heading}\n\n${await bench.measure()}\n\nMeasured on ${machine}, with a load of ${load} when it began.`;
  console.log(`${section}\n`);
  sections.set(heading, section);
}
const known = Object.entries(benches).flatMap(([name, bench]) =>
  [...sections.keys()].filter((heading) => isOf(heading, name, bench)).toSorted(),
);
writeFileSync(
  file,
  `# Results

Written by \`npm run bench\`. Compare ratios, not digits: they hold within one run.

${known.map((heading) => sections.get(heading) ?? '').join('\n\n')}
`,
);
