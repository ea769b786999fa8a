// npm run check: everything that must be true of the workspace besides its tests, as named steps.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, runBeside, runToolBeside } from './tool.js';

const packages = ['jwt', 'guard', 'auth', 'server'];

/** Packs each package as npm would publish it and lets publint and attw look at the archive. */
async function checkPackages() {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pack-'));
  try {
    const workspaces = packages.map((name) => `--workspace=packages/${name}`);
    const packed = await runBeside('npm', ['pack', '--silent', `--pack-destination=${folder}`, ...workspaces]);
    if (packed.status !== 0) return packed;
    const archives = readdirSync(folder).map((name) => join(folder, name));
    const results = [];
    for (const archive of archives) {
      results.push(await runToolBeside('publint', [archive, '--strict']));
      results.push(await runToolBeside('attw', [archive, '--profile', 'esm-only']));
    }
    const failed = results.filter((result) => result.status !== 0);
    return { status: failed.length, output: failed.map((result) => result.output).join('\n') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const steps = [
  { name: 'build', advice: 'fix the types', run: () => build({ capture: true }) },
  {
    name: 'types',
    advice: 'fix the types of the tests',
    run: () => runToolBeside('tsc', ['-p', 'tsconfig.test.json']),
  },
  { name: 'lint', advice: 'npm run fix', run: () => runToolBeside('oxlint', ['--type-aware', '--deny-warnings']) },
  { name: 'format', advice: 'npm run fix', run: () => runToolBeside('oxfmt', ['--check']) },
  { name: 'unused code', advice: 'delete what knip lists', run: () => runToolBeside('knip', []) },
  {
    name: 'arrows',
    advice: 'see ARCHITECTURE.md, "Arrows"',
    run: () => runToolBeside('vitest', ['run', 'test/architecture', 'test/public-api']),
  },
  {
    name: 'generated files',
    advice: 'npm run generate, then commit',
    run: () => runToolBeside('tsx', ['scripts/generate.ts', '--check']),
  },
  { name: 'packages', advice: 'fix the exports in package.json', run: checkPackages },
];

const advices = [];

async function perform(step) {
  const start = performance.now();
  const { status, output } = await step.run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)`);
  if (status === 0) return;
  console.log(output);
  advices.push(`${step.name}: ${step.advice}`);
}

const [first, ...waiting] = steps;
async function lane() {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await perform(step);
}

// What most steps look at comes first; then two at a time, as most of them keep one processor busy.
await perform(first);
await Promise.all([lane(), lane()]);
if (advices.length > 0) {
  console.log(`\n${advices.length} of ${steps.length} checks failed. What to do:`);
  for (const advice of advices) console.log(`- ${advice}`);
  process.exitCode = 1;
}
