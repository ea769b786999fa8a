// npm run test:soak [-- minutes [sqlite | postgres]]: a server under steady load, and whether anything grows.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { databaseNames } from './databases.ts';
import { soak } from './soak.ts';

const results = fileURLToPath(new URL('../../bench/SOAK.md', import.meta.url));
const [asked = '30', only] = process.argv.slice(2);
const minutes = Number(asked);
if (!(minutes > 0) || (only !== undefined && !Object.hasOwn(databaseNames, only))) {
  console.error(`usage: npm run test:soak -- [minutes] [${Object.keys(databaseNames).join(' | ')}]`);
  process.exit(2);
}

const machine = `Node ${process.versions.node}, ${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}`;
const reports: string[] = [];
for (const name of only === undefined ? Object.keys(databaseNames) : [only]) {
  const load = (loadavg()[0] ?? 0).toFixed(1);
  const { report, isFlat } = await soak(name, minutes);
  const whole = `${report}\n\nMeasured on ${machine}, with a load of ${load} when it began.`;
  console.log(`${whole}\n`);
  reports.push(whole);
  if (!isFlat) process.exitCode = 1;
}
if (only === undefined) {
  writeFileSync(
    results,
    `# Soak

Written by \`npm run test:soak\`: 24 clients refresh, look, introspect, sign out and in again, over HTTP. The server's clock
jumps an hour ahead 120 times, so that what is kept for two days after its end begins to go before half time. Shown
are medians by quarter. A measure is flat when the fourth is at most a twentieth, and a little, above the third.

${reports.join('\n\n')}
`,
  );
}
