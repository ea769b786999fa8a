import { BaseSequencer, type TestSpecification } from 'vitest/node';
import base from './vitest.config.ts';

/** These take seconds, and hardly any mutant lives until then. */
const slow = /\/(json-document|properties|remote-jwk-set|tampering|wycheproof)\.test\.ts$/;

class SlowestLast extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): number => Number(slow.test(moduleId));
    return Promise.resolve(files.toSorted((one, other) => isSlow(one) - isSlow(other)));
  }
}

/**
 * The tests of packages/jwt for Stryker, without the comparison with other libraries: it takes a third of the time and
 * finds nothing that the others overlook. One process runs all files, because a new one costs more than most of them.
 */
export default {
  ...base,
  test: {
    ...base.test,
    include: ['packages/jwt/test/*.test.ts'],
    exclude: ['**/agreement.test.ts'],
    isolate: false,
    runner: './packages/jwt/test/mutation-runner.ts',
    sequence: { sequencer: SlowestLast },
  },
};
