import { describeConfirmation } from './confirmation-contract.ts';
import { testDatabases } from './databases.ts';

for (const { name, start } of testDatabases) describeConfirmation(name, start);
