import { describeAuth } from './auth-contract.ts';
import { testDatabases } from './databases.ts';

for (const { name, start } of testDatabases) describeAuth(name, start);
