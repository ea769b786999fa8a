import type { Kysely } from 'kysely';
import { isAuthError } from '../../errors.ts';
import type { Database } from './schema.ts';
import { toList, type RotatedRow, type Rotation, type SessionQueries } from './session-queries.ts';

/** Rotates one session; undefined when it does not. */
export type Rotate = (rotation: Rotation) => Promise<RotatedRow | undefined>;

/** How many rotations one statement does at most. */
const mostRotations = 256;

/** How many statements are under way at most: while the database works on one, what came of another is made tokens of. */
const mostBatches = 2;

interface Waiting {
  readonly rotation: Rotation;
  readonly resolve: (row: RotatedRow | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Rotations outside transactions. All that are asked for while statements are under way are done by the next one: one
 * round trip and one commit for all of them. Nothing waits for company, nor for a session that is locked.
 */
export class RotationBatches {
  readonly #db: Kysely<Database>;
  readonly #queries: SessionQueries;
  #waiting: Waiting[] = [];
  /** The sessions of the statements that are under way. */
  readonly #busy = new Set<string>();
  #batches = 0;

  constructor(db: Kysely<Database>, queries: SessionQueries) {
    this.#db = db;
    this.#queries = queries;
  }

  rotate(rotation: Rotation): Promise<RotatedRow | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rotation, resolve, reject });
      // What is asked for at the same moment goes along.
      if (this.#waiting.length === 1) process.nextTick(() => void this.#work());
    });
  }

  async #work(): Promise<void> {
    if (this.#batches >= mostBatches) return;
    const batch = this.#take();
    if (batch.length === 0) return;
    this.#batches += 1;
    for (const { rotation } of batch) this.#busy.add(rotation.id);
    await this.#rotateTogether(batch);
    for (const { rotation } of batch) this.#busy.delete(rotation.id);
    this.#batches -= 1;
    // Those that are answered now ask again in a moment, and go along.
    if (this.#waiting.length > 0) setImmediate(() => void this.#work());
  }

  /** A session that is under way has to wait: its second rotation depends on the first. */
  #take(): readonly Waiting[] {
    const batch = new Map<string, Waiting>();
    const rest: Waiting[] = [];
    for (const each of this.#waiting) {
      const { id } = each.rotation;
      if (batch.size < mostRotations && !batch.has(id) && !this.#busy.has(id)) batch.set(id, each);
      else rest.push(each);
    }
    this.#waiting = rest;
    return [...batch.values()];
  }

  async #rotateTogether(batch: readonly Waiting[]): Promise<void> {
    const list = toList(batch.map(({ rotation }) => rotation));
    try {
      // A NUL is refused where the value stands alone: written as JSON, not every database would notice.
      const { rows } = hasNul(list) ? { rows: [] } : await this.#queries.rotateMany(this.#db, { list });
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const each of batch) {
        const row = byId.get(each.rotation.id);
        if (row === undefined) this.#rotateAlone(each);
        else each.resolve(row);
      }
    } catch (error) {
      const isAway = isAuthError(error) && error.code === 'store_unavailable';
      for (const each of batch) {
        if (isAway) each.reject(error);
        else this.#rotateAlone(each);
      }
    }
  }

  /** For a session that somebody else has locked, and for whatever would harm the others. */
  #rotateAlone({ rotation, resolve, reject }: Waiting): void {
    this.#queries.rotate(this.#db, rotation).then(({ rows: [row] }) => resolve(row), reject);
  }
}

function hasNul(json: string): boolean {
  return json.includes(String.raw`\u0000`);
}
