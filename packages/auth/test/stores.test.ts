import { testDatabases } from './databases.ts';
import { describeFeedStore } from './feed-store-contract.ts';
import { describeStore } from './store-contract.ts';

for (const { name, start } of testDatabases) {
  describeStore(name, start);
  describeFeedStore(name, start);
}
