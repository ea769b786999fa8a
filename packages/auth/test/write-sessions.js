// JavaScript, which a process starts sooner. Starts sessions one after another in several lanes, and says which are durable. Arguments: file, name, how many a lane.
import { writeSync } from 'node:fs';
import { sqlite } from '../dist/stores/sqlite.js';

const [file = '', name = '', perLane = ''] = process.argv.slice(2);
const lanes = 8;
const now = new Date();
const store = sqlite(file);
await store.migrate();

async function start(id) {
  const session = {
    id,
    userId: 'ada',
    userEpoch: 0,
    generation: 1,
    base: 0,
    mintedAt: now,
    rotatedAt: now,
    salt: new Uint8Array(16),
    scope: undefined,
    createdAt: now,
    lastUsedAt: now,
    idleExpiresAt: now,
    expiresAt: now,
    endedAt: undefined,
    userAgent: undefined,
    address: undefined,
  };
  if (id.endsWith('0')) {
    await store.transaction(async (transaction) => {
      await transaction.sessions.insert(session);
      transaction.append({ kind: 1, key: id, issuedUntil: now, critical: true });
    });
  } else {
    await store.sessions.insert(session);
  }
  writeSync(1, `${id}\n`);
}

async function lane(number) {
  for (let index = 0; index < Number(perLane); index += 1) await start(`${name}.${number}.${index}`);
}

await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
// Not closed: a process with nothing left to do ends by itself.
