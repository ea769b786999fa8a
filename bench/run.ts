// npm run bench [-- name …]: measures and writes RESULTS.md. Sections of benches that did not run stay as they are.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { benchJwt } from './jwt.ts';
import { benchRotation } from './rotation.ts';
import { benchTokenSize } from './token-size.ts';

const benches: Readonly<Record<string, () => Promise<string>>> = {
  jwt: benchJwt,
  rotation: benchRotation,
  'token-size': benchTokenSize,
};
const file = fileURLToPath(new URL('RESULTS.md', import.meta.url));

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`No bench is called ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}

function sectionsOf(text: string): Map<string, string> {
  const sections = text.split(/^(?=## )/m).slice(1);
  return new Map(sections.map((section) => [/^## ([\w-]+)/.exec(section)?.[1] ?? '', section.trim()]));
}

const sections = sectionsOf(existsSync(file) ? readFileSync(file, 'utf8') : '');
const machine = `Node ${process.versions.node}, ${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}`;
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const section = `${await bench()}\n\nMeasured on ${machine}.`;
  console.log(`${section}\n`);
  sections.set(name, section);
}
const known = Object.keys(benches).flatMap((name) => sections.get(name) ?? []);
writeFileSync(
  file,
  `# Results\n\nWritten by \`npm run bench\`. Compare ratios, not digits: they hold within one run.\n\n${known.join('\n\n')}\n`,
);
