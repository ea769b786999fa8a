import { test, TestRunner } from 'vitest';

/**
 * Runs the tests of a mutant. A mutant that breaks the loading of a test file leaves it without tests, and Stryker counts
 * failed tests only: so what broke becomes one.
 */
export default class MutationRunner extends TestRunner {
  override async importFile(path: string, source: 'collect' | 'setup'): Promise<void> {
    try {
      await super.importFile(path, source);
    } catch (error) {
      if (source === 'setup') throw error;
      test('can be loaded', () => {
        throw error;
      });
    }
  }
}
