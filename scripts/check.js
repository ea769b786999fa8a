// npm run check: everything that must be true of the workspace besides its tests, as named steps.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, run, runTool } from './tool.js';

const packages = ['jwt', 'guard', 'auth', 'server'];
const capture = { capture: true };

/** Packs each package as npm would publish it and lets publint and attw look at the archive. */
function checkPackages() {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pack-'));
  try {
    const workspaces = packages.map((name) => `--workspace=packages/${name}`);
    const packed = run('npm', ['pack', '--silent', `--pack-destination=${folder}`, ...workspaces], capture);
    if (packed.status !== 0) return packed;
    const archives = readdirSync(folder).map((name) => join(folder, name));
    const results = archives.flatMap((archive) => [
      runTool('publint', [archive, '--strict'], capture),
      runTool('attw', [archive, '--profile', 'esm-only'], capture),
    ]);
    const failed = results.filter((result) => result.status !== 0);
    return { status: failed.length, output: failed.map((result) => result.output).join('\n') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const steps = [
  { name: 'build', advice: 'fix the types', run: () => build(capture) },
  {
    name: 'types',
    advice: 'fix the types of the tests',
    run: () => runTool('tsc', ['-p', 'tsconfig.test.json'], capture),
  },
  { name: 'lint', advice: 'npm run fix', run: () => runTool('oxlint', ['--type-aware', '--deny-warnings'], capture) },
  { name: 'format', advice: 'npm run fix', run: () => runTool('oxfmt', ['--check'], capture) },
  { name: 'unused code', advice: 'delete what knip lists', run: () => runTool('knip', [], capture) },
  {
    name: 'arrows',
    advice: 'see ARCHITECTURE.md, "Arrows"',
    run: () => runTool('vitest', ['run', 'test/architecture', 'test/public-api'], capture),
  },
  {
    name: 'generated files',
    advice: 'npm run generate, then commit',
    run: () => runTool('tsx', ['scripts/generate.ts', '--check'], capture),
  },
  { name: 'packages', advice: 'fix the exports in package.json', run: checkPackages },
];

const advices = [];
for (const step of steps) {
  const start = performance.now();
  const { status, output } = step.run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)`);
  if (status === 0) continue;
  console.log(output);
  advices.push(`${step.name}: ${step.advice}`);
}
if (advices.length > 0) {
  console.log(`\n${advices.length} of ${steps.length} checks failed. What to do:`);
  for (const advice of advices) console.log(`- ${advice}`);
  process.exitCode = 1;
}
