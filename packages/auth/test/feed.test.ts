import { testDatabases } from './databases.ts';
import { describeFeed } from './feed-contract.ts';

for (const { name, start } of testDatabases) describeFeed(name, start);
