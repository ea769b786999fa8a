// npm test [-- filter …]: builds, makes sure of what the tests need, checks their types, runs them, counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureChromium } from './chromium.js';
import { build, runTool } from './tool.js';

const browserTests = ['test/docs-page.test.ts', 'test/api-docs-page.test.ts', 'test/browser-sign-in.test.ts'];
const filters = process.argv.slice(2);
const asksForBrowser =
  filters.length === 0 ||
  filters.some((filter) => !filter.startsWith('-') && browserTests.some((test) => test.includes(filter)));

function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Runs vitest and returns its numbers; a run that ended before it could count is one failure. */
function runTests(env) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  const file = join(folder, 'summary.json');
  const reporters = ['--reporter=default', '--reporter=./scripts/summary-reporter.js'];
  try {
    const { status } = runTool('vitest', ['run', ...reporters, ...filters], {
      env: { ...env, SALLYPORT_TEST_SUMMARY: file },
    });
    const numbers = JSON.parse(readFileSync(file, 'utf8'));
    return status !== 0 && numbers.failed === 0 ? { ...numbers, failed: 1 } : numbers;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main() {
  if (build().status !== 0) return { passed: 0, failed: 1, skipped: 0 };
  const env = asksForBrowser ? { CHROMIUM_PATH: ensureChromium() } : {};
  const types = runTool('tsc', ['-p', 'tsconfig.test.json']);
  const numbers = runTests(env);
  if (types.status === 0) return numbers;
  console.log('The types of the tests are wrong: see the first lines. This counts as one failure.');
  return { ...numbers, failed: numbers.failed + 1 };
}

let numbers = { passed: 0, failed: 1, skipped: 0 };
try {
  numbers = main();
} catch (error) {
  console.error(error.message);
}
console.log(closingLine(numbers));
process.exitCode = numbers.failed === 0 && numbers.passed > 0 ? 0 : 1;
