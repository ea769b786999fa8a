import type { Kysely } from 'kysely';
import { Batches } from './batches.ts';
import { toList } from './list.ts';
import type { Database } from './schema.ts';
import type { RotatedRow, Rotation, SessionQueries } from './session-queries.ts';

/** Rotates one session; undefined when it does not. */
export type Rotate = (rotation: Rotation) => Promise<RotatedRow | undefined>;

/** Rotations outside transactions, done together: one round trip for all of them. None waits for a session that is locked. */
export function rotatingTogether(db: Kysely<Database>, queries: SessionQueries): Rotate {
  const batches = new Batches<Rotation, RotatedRow | undefined>({
    most: 256,
    // While the database works on one, what came of another is made tokens of.
    atOnce: 2,
    subjectOf: ({ id }) => id,
    together: async (rotations) => {
      const list = toList(rotations.map(toValues));
      const { rows } = list === undefined ? { rows: [] } : await queries.rotateMany(db, { list });
      return new Map(rows.map((row) => [row.id, row]));
    },
    alone: async (rotation) => (await queries.rotate(db, rotation)).rows[0],
  });
  return (rotation) => batches.ask(rotation);
}

function toValues(rotation: Rotation): (string | number | null)[] {
  const { id, generation, now, idleExpiresAt, userAgent, address } = rotation;
  return [id, generation, now, idleExpiresAt, userAgent, address];
}
