import type { Store } from '../store.ts';
import { changeChecks } from './change-checks.ts';
import { feedChecks } from './feed-checks.ts';
import { roleAndKeyChecks } from './role-and-key-checks.ts';
import { rotationChecks } from './rotation-checks.ts';
import { sessionChecks } from './session-checks.ts';
import { transactionChecks } from './transaction-checks.ts';
import type { Checks } from './trial.ts';
import { userChecks } from './user-checks.ts';

/** One thing that a store must do. */
export interface StoreCheck {
  /** What it does, as a sentence about a store. */
  readonly title: string;
  /** Rejects, with an `AssertionError` of node:assert as a rule, when the store does not. */
  readonly run: () => Promise<void>;
}

const checks: Checks = {
  ...transactionChecks,
  ...changeChecks,
  ...userChecks,
  ...roleAndKeyChecks,
  ...sessionChecks,
  ...rotationChecks,
  ...feedChecks,
};

/**
 * Everything that a store must do, as a list of checks for any test runner. A store that passes all of them can hold
 * Sallyport's data.
 *
 * Each check makes a database of its own. Checks do **not** show that what was acknowledged survives a crash, nor that the
 * store recovers from an outage: nothing that runs in one process could.
 *
 * @param newDatabase Makes an empty database and gives what opens it. A store that is opened twice must find the same
 * data: one in memory gives the same store each time.
 *
 * @example
 * import { test } from 'node:test';
 * import { storeContract } from '@sallyport/auth/testing';
 * import { sqlite } from '@sallyport/auth/sqlite';
 *
 * const newDatabase = () => {
 *   const store = sqlite(':memory:');
 *   return () => store;
 * };
 * for (const { title, run } of storeContract(newDatabase)) test(title, run);
 */
export function storeContract(newDatabase: () => (() => Store) | Promise<() => Store>): readonly StoreCheck[] {
  return Object.entries(checks).map(([title, check]) => ({
    title,
    run: async () => {
      const open = await newDatabase();
      const opened = new Set<Store>();
      const reopen = (): Store => {
        const store = open();
        opened.add(store);
        return store;
      };
      const store = reopen();
      try {
        await store.migrate();
        await check({ store, reopen });
      } finally {
        for (const each of opened) await each.close();
      }
    },
  }));
}
