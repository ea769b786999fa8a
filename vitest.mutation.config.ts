import type { RunnerTestCase } from 'vitest';
import { BaseSequencer, type Reporter, type TestModule, type TestSpecification, type Vitest } from 'vitest/node';
import base from './vitest.config.ts';

/** These ask a server, or wait for an answer that never comes; hardly any mutant lives until then. */
const slow = /\/(advisories|json-document|key-refusals|keys|remote-jwk-set)\.test\.ts$/;

class SlowestLast extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): number => Number(slow.test(moduleId));
    return Promise.resolve(files.toSorted((one, other) => isSlow(one) - isSlow(other)));
  }
}

/**
 * A mutant that breaks the loading of a test file leaves it without tests, and Stryker counts failed tests alone: here
 * the file gets one.
 */
class LoadingIsATest implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  /** One is enough, as one failed test is: the others are not even loaded. */
  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0) void this.#vitest?.cancelCurrentRun('test-failure');
  }

  onTestRunEnd(): void {
    for (const file of this.#vitest?.state.getFiles() ?? []) {
      if (file.result?.state !== 'fail' || file.result.errors === undefined) continue;
      const test: Partial<RunnerTestCase> = {
        type: 'test',
        name: 'can be loaded',
        mode: 'run',
        file,
        result: file.result,
      };
      file.tasks = [test as RunnerTestCase];
    }
  }
}

/**
 * The tests of packages/jwt for Stryker, without those that try hundreds of inputs where others name the one that
 * matters: they take most of the time, and leaving tests out can only lower the score. One process runs all files,
 * because a new one costs more than most of them.
 */
export default {
  ...base,
  test: {
    ...base.test,
    include: ['packages/jwt/test/*.test.ts'],
    exclude: ['**/{agreement,properties,tampering,wycheproof}.test.ts'],
    isolate: false,
    reporters: [new LoadingIsATest()],
    sequence: { sequencer: SlowestLast },
  },
};
