// npm test in this folder: Node's own runner over everything that a store must do.
import { test } from 'node:test';
import { storeContract } from '@sallyport/auth/testing';
import { mapStore } from './map-store.ts';

const newDatabase = (): (() => ReturnType<typeof mapStore>) => {
  const store = mapStore();
  return () => store;
};

for (const { title, run } of storeContract(newDatabase)) void test(title, run);
