import type { Kysely } from 'kysely';
import { isAuthError } from '../../errors.ts';
import type { Database } from './schema.ts';
import { rotationOfMany, type Rotation, type SessionQueries } from './session-queries.ts';

/** How many rotations one statement does at most. */
const mostRotations = 256;

/** The session, unless it did not rotate. */
type RotationResult = Awaited<ReturnType<SessionQueries['rotate']>>;

interface Waiting {
  readonly rotation: Rotation;
  readonly resolve: (result: RotationResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Rotations outside transactions. All that are asked for while a statement is under way are done by the next one: one
 * round trip and one commit for all of them. Nothing waits for company, nor for a session that is locked.
 */
export class RotationBatches {
  readonly #db: Kysely<Database>;
  readonly #queries: SessionQueries;
  readonly #rotateMany: ReturnType<typeof rotationOfMany>;
  #waiting: Waiting[] = [];
  #isWorking = false;

  constructor(db: Kysely<Database>, queries: SessionQueries) {
    this.#db = db;
    this.#queries = queries;
    this.#rotateMany = rotationOfMany(db);
  }

  rotate(rotation: Rotation): Promise<RotationResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rotation, resolve, reject });
      if (!this.#isWorking) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0) await this.#rotateTogether(this.#take());
    this.#isWorking = false;
  }

  /** A session that is asked for twice has to wait: the second rotation depends on the first. */
  #take(): readonly Waiting[] {
    const batch = new Map<string, Waiting>();
    const rest: Waiting[] = [];
    for (const each of this.#waiting) {
      if (batch.size < mostRotations && !batch.has(each.rotation.id)) batch.set(each.rotation.id, each);
      else rest.push(each);
    }
    this.#waiting = rest;
    return [...batch.values()];
  }

  async #rotateTogether(batch: readonly Waiting[]): Promise<void> {
    const rotations = batch.map(({ rotation }) => rotation);
    try {
      const { rows } = await this.#rotateMany(this.#db, { rotations: JSON.stringify(rotations) });
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const each of batch) {
        const row = byId.get(each.rotation.id);
        if (row === undefined) this.#rotateAlone(each);
        else each.resolve({ rows: [row] });
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
    this.#queries.rotate(this.#db, rotation).then(resolve, reject);
  }
}
