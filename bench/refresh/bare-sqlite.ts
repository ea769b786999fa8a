import { createRequire } from 'node:module';
import type * as Sqlite from '@photostructure/sqlite';
import { batching, everyClient, seed, type Contest } from './sessions.ts';

const readSession = `select sessions.*, users.epoch as current_epoch, users.disabled_at
  from sessions join users on users.id = sessions.user_id where sessions.id = ?`;
const rotateSession = `update sessions set base = generation, generation = generation + 1, minted_at = ?,
  rotated_at = ?, last_used_at = ?, idle_expires_at = ? where id = ? and generation = ? and ended_at is null`;

/** The rotation's two statements on the driver alone, in the thread that asks for them. */
export async function bareSqlite(url: string, clients: number): Promise<Contest> {
  const { auth, sessions } = await seed(url, clients);
  await auth.close();
  const ids = sessions.map(({ sessionId }) => sessionId);
  const database = open(url.slice('file:'.length));
  const read = database.prepare(readSession);
  const write = database.prepare(rotateSession);
  const rotate = (id: string): void => {
    const { generation } = read.get(id) as { generation: number };
    const now = Date.now();
    if (write.run(now, now, now, now, id, generation).changes !== 1) throw new Error('a rotation was lost');
  };
  const rotateAll = batching((batch: readonly string[]) => {
    database.exec('begin immediate');
    for (const id of batch) rotate(id);
    database.exec('commit');
    return Promise.resolve();
  });
  const alone = (id: string): string => {
    rotate(id);
    return id;
  };
  const together = async (id: string): Promise<string> => {
    await rotateAll(id);
    return id;
  };
  return {
    contenders: [everyClient('bare, one commit each', ids, alone), everyClient('bare, group commit', ids, together)],
    close: () => Promise.resolve(database.close()),
  };
}

function open(file: string): InstanceType<typeof Sqlite.DatabaseSync> {
  const name = process.versions['sqlite'] === undefined ? '@photostructure/sqlite' : 'node:sqlite';
  const { DatabaseSync } = createRequire(import.meta.url)(name) as typeof Sqlite;
  const database = new DatabaseSync(file);
  for (const pragma of ['journal_mode = wal', 'synchronous = full', 'foreign_keys = on']) {
    database.exec(`pragma ${pragma}`);
  }
  return database;
}
