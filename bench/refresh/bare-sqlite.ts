import { createRequire } from 'node:module';
import type * as Sqlite from '@photostructure/sqlite';
import { batching, everyClient, seed, type Contest } from './sessions.ts';

const readSession = `select sessions.*, users.epoch as current_epoch, users.disabled_at
  from sessions join users on users.id = sessions.user_id where sessions.id = ?`;
const rotateSession = `update sessions set base = generation, generation = generation + 1, minted_at = ?,
  rotated_at = ?, last_used_at = ?, idle_expires_at = ? where id = ? and generation = ? and ended_at is null`;

/** The rotation's two statements on the driver alone, in the thread that asks for them. */
export function bareRotation(file: string): {
  readonly alone: (id: string) => void;
  readonly together: (id: string) => Promise<void>;
  readonly close: () => void;
} {
  const database = open(file);
  const read = database.prepare(readSession);
  const write = database.prepare(rotateSession);
  const alone = (id: string): void => {
    const { generation } = read.get(id) as { generation: number };
    const now = Date.now();
    if (write.run(now, now, now, now, id, generation).changes !== 1) throw new Error('a rotation was lost');
  };
  const together = batching((batch: readonly string[]) => {
    database.exec('begin immediate');
    for (const id of batch) alone(id);
    database.exec('commit');
    return Promise.resolve();
  });
  return { alone, together, close: () => database.close() };
}

/** That, beside the engine. */
export async function bareSqlite(url: string, clients: number): Promise<Contest> {
  const { auth, sessions } = await seed(url, clients);
  await auth.close();
  const ids = sessions.map(({ sessionId }) => sessionId);
  const { alone, together, close } = bareRotation(url.slice('file:'.length));
  const returning =
    (rotate: (id: string) => void | Promise<void>) =>
    async (id: string): Promise<string> => {
      await rotate(id);
      return id;
    };
  return {
    contenders: [
      everyClient('bare, one commit each', ids, returning(alone)),
      everyClient('bare, group commit', ids, returning(together)),
    ],
    close: () => Promise.resolve(close()),
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
