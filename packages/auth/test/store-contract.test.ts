import { storeContract } from '@sallyport/auth/testing';
import type { Repositories, Store, Transaction } from '@sallyport/auth/store';
import { describe, expect, it } from 'vitest';
import { mapStore } from '../../../examples/own-store/src/map-store.ts';

/** What is wrong with a store. */
type Fault = (store: Store) => Store;

type Method = (...values: readonly unknown[]) => unknown;

const repositories = ['users', 'sessions', 'roles', 'keys', 'changes', 'feedCredentials', 'guards'] as const;

const methodsOf = (repository: object): string[] => {
  const prototype = Object.getPrototypeOf(repository) as object;
  const named = prototype === Object.prototype ? repository : prototype;
  return Object.getOwnPropertyNames(named).filter((name) => name !== 'constructor');
};

/** Replaces one method of a repository, in transactions and outside. */
function withMethod(
  repository: (typeof repositories)[number],
  method: string,
  replacement: (original: Method) => Method,
): Fault {
  const breakIn = (whole: Repositories): Repositories => ({
    ...whole,
    [repository]: new Proxy(whole[repository], {
      get: (target, name) => {
        const original = (Reflect.get(target, name) as Method).bind(target);
        return name === method ? replacement(original) : original;
      },
    }),
  });
  return (store) => ({
    ...store,
    ...breakIn(store),
    transaction: (work) => store.transaction((transaction) => work({ ...transaction, ...breakIn(transaction) })),
  });
}

const inTransactions =
  (change: (transaction: Transaction) => Partial<Transaction>): Fault =>
  (store) => ({
    ...store,
    transaction: (work) => store.transaction((transaction) => work({ ...transaction, ...change(transaction) })),
  });

const faults: Readonly<Record<string, Fault>> = {
  'keeps what a transaction did whose work throws': (store) => ({
    ...store,
    transaction: async (work) => {
      const outcome = await store.transaction(async (transaction) => {
        try {
          return { result: await work(transaction) };
        } catch (error) {
          return { error };
        }
      });
      if ('error' in outcome) throw outcome.error;
      return outcome.result;
    },
  }),
  'forgets what is appended outside transactions': (store) => ({ ...store, append: () => Promise.resolve() }),
  'forgets what is appended in transactions': inTransactions(() => ({ append: () => undefined })),
  'appends everything twice': inTransactions((transaction) => ({
    append: (change) => {
      transaction.append(change);
      transaction.append(change);
    },
  })),
  'does not raise the life of tokens': inTransactions(() => ({ raiseTokenLifetime: () => Promise.resolve() })),
  'does not begin another lineage': inTransactions(() => ({ beginIncarnation: () => Promise.resolve() })),
  'calls watchers that have stopped': (store) => ({
    ...store,
    watch: (wake) => {
      store.watch(wake);
      return () => undefined;
    },
  }),
  'is new each time it is opened': () => mapStore(),
  'starts without roles': (store) => ({ ...store, migrate: () => Promise.resolve({ from: 0, to: 1 }) }),
  'does not answer': (store) => ({ ...store, ping: () => Promise.reject(new Error('away')) }),
  'says that it rotates what it does not': withMethod(
    'sessions',
    'rotate',
    (rotate) =>
      async (...values) =>
        (await rotate(...values)) ?? { asOf: 2, rightsAsOf: 2 },
  ),
  'says that it ends what had ended': withMethod(
    'sessions',
    'end',
    (end) =>
      async (...values) =>
        (await end(...values)) === undefined || true,
  ),
  'takes a name twice': withMethod(
    'users',
    'insert',
    (insert) =>
      async (...values) =>
        (await insert(...values)) && undefined,
  ),
  'tells the log backwards': withMethod('changes', 'readSince', (readSince) => async (...values) => {
    const batch = (await readSince(...values)) as { readonly changes: readonly unknown[] };
    return { ...batch, changes: batch.changes.toReversed() };
  }),
};

/** The first check that a store with a fault does not pass. */
async function firstFailure(fault: Fault): Promise<string | undefined> {
  const checks = storeContract(() => {
    const whole = mapStore();
    const broken = fault(whole);
    return () => (fault === faults['is new each time it is opened'] ? fault(whole) : broken);
  });
  for (const { title, run } of checks) {
    try {
      await run();
    } catch {
      return title;
    }
  }
  return undefined;
}

describe('the contract of stores', () => {
  it('is kept by a store without SQL', async () => {
    expect(await firstFailure((store) => store)).toBeUndefined();
  });

  const whole = mapStore();
  const methods = repositories.flatMap((repository) =>
    methodsOf(whole[repository]).map((method) => [repository, method] as const),
  );

  it('asks for every method', () => {
    expect(methods.length).toBeGreaterThan(45);
  });

  // Whoever has no other clock says so by telling no time.
  it.each(methods.filter(([, method]) => method !== 'time'))('notices when %s.%s does nothing', async (...which) => {
    expect(await firstFailure(withMethod(...which, () => () => Promise.resolve(undefined)))).toBeDefined();
  });

  it.each(Object.entries(faults))('notices a store that %s', async (_what, fault) => {
    expect(await firstFailure(fault)).toBeDefined();
  });
});
