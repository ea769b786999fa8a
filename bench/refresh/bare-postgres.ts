import pg from 'pg';
import { batching, everyClient, seed, type Contest } from './sessions.ts';

/** As many connections as the engine opens. */
const connections = 10;

const readSessions = `select sessions.*, users.epoch as current_epoch, users.disabled_at
  from sessions join users on users.id = sessions.user_id where sessions.id = any($1)`;
const rotateSessions = `update sessions set base = sessions.generation, generation = sessions.generation + 1,
  minted_at = $3, rotated_at = $3, last_used_at = $3, idle_expires_at = $3
  from unnest($1::text[], $2::bigint[]) as given (id, generation)
  where sessions.id = given.id and sessions.generation = given.generation and ended_at is null`;

interface Row {
  readonly id: string;
  readonly generation: string;
}

/** The rotation's two statements on the driver alone, prepared by name. */
export async function barePostgres(url: string, clients: number): Promise<Contest> {
  const { auth, sessions } = await seed(url, clients);
  await auth.close();
  const ids = sessions.map(({ sessionId }) => sessionId);
  const pool = new pg.Pool({ connectionString: url, max: connections });
  // An idle connection may hear of the end before the pool does.
  pool.on('error', () => undefined);
  const rotate = async (batch: readonly string[]): Promise<void> => {
    const { rows } = await pool.query<Row>({ name: 'read', text: readSessions, values: [batch] });
    const values = [rows.map((row) => row.id), rows.map((row) => row.generation), Date.now()];
    const { rowCount } = await pool.query({ name: 'rotate', text: rotateSessions, values });
    if (rowCount !== batch.length) throw new Error('a rotation was lost');
  };
  const rotateTogether = batching(rotate);
  const alone = async (id: string): Promise<string> => {
    await rotate([id]);
    return id;
  };
  const together = async (id: string): Promise<string> => {
    await rotateTogether(id);
    return id;
  };
  return {
    contenders: [everyClient('bare, one commit each', ids, alone), everyClient('bare, group commit', ids, together)],
    close: () => pool.end(),
  };
}
