import { testDatabases } from './databases.ts';
import { describeVouching } from './vouched-contract.ts';

for (const { name, start } of testDatabases) describeVouching(name, start);
