import type { Store } from '../src/stores/store.ts';

/** A kind of database that tests run over. */
export interface TestDatabase {
  readonly name: string;
  create(): Promise<EmptyDatabase>;
  stop(): Promise<void>;
}

/** A new database with nothing in it. */
export interface EmptyDatabase {
  /** Names it as DATABASE_URL does. */
  readonly url: string;
  /** Opens it: once in memory, else as often as wanted. */
  readonly connect: () => Store;
}
