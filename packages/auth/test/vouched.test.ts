import { testDatabases } from './databases.ts';
import { describeVouching } from './vouched-contract.ts';

// In memory SQLite runs the same queries as in a file, and that both are kept is a matter of the store's own contract.
for (const { name, start } of testDatabases.filter((each) => !each.name.includes('file')))
  describeVouching(name, start);
