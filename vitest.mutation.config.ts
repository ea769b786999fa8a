import { BaseSequencer, type TestSpecification } from 'vitest/node';
import base from './vitest.config.ts';

/** These take seconds, and hardly any mutant lives until then. */
const slow = /\/(agreement|properties|remote-jwk-set|tampering|wycheproof)\.test\.ts$/;

class SlowestLast extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): number => Number(slow.test(moduleId));
    return Promise.resolve(files.toSorted((one, other) => isSlow(one) - isSlow(other)));
  }
}

/** The tests of packages/jwt alone, for Stryker. */
export default {
  ...base,
  test: { ...base.test, include: ['packages/jwt/test/*.test.ts'], sequence: { sequencer: SlowestLast } },
};
