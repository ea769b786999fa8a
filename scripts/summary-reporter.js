// A vitest reporter that counts: it says why each test was skipped and leaves the numbers for scripts/test.js.
import { writeFileSync } from 'node:fs';

export default class SummaryReporter {
  #named = false;

  onInit(vitest) {
    this.#named = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules, unhandledErrors) {
    const numbers = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) this.#count(numbers, test);
      // A file that cannot be loaded holds no test that could fail.
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) numbers.failed += 1;
    }
    const file = process.env.SALLYPORT_TEST_SUMMARY;
    if (file !== undefined) writeFileSync(file, JSON.stringify(numbers));
  }

  #count(numbers, test) {
    const result = test.result();
    if (result.state !== 'skipped') {
      numbers[result.state === 'passed' ? 'passed' : 'failed'] += 1;
    } else if (this.#named) {
      // Chosen by name (-t): the tests not asked for are no skips.
    } else if (result.note === undefined) {
      console.log(`skipped without a reason, which counts as failed: ${test.fullName}`);
      numbers.failed += 1;
    } else {
      console.log(`skipped: ${test.fullName}: ${result.note}`);
      numbers.skipped += 1;
    }
  }
}
