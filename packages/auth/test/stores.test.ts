import { testDatabases } from './databases.ts';
import { describeStore } from './store-contract.ts';

for (const { name, start } of testDatabases) describeStore(name, start);
