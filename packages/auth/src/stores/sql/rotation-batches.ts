import { setImmediate } from 'node:timers/promises';
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

/** How many hear of their rotation before others have a turn. */
const toldAtOnce = 16;

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
    const answers = await this.#rotateTogether(batch);
    for (const { rotation } of batch) this.#busy.delete(rotation.id);
    this.#batches -= 1;
    if (this.#waiting.length > 0) void this.#work();
    await tell(answers);
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

  /** Gives the answers, each to be told to whoever waits for it. */
  async #rotateTogether(batch: readonly Waiting[]): Promise<readonly (() => void)[]> {
    const list = toList(batch.map(({ rotation }) => rotation));
    try {
      // A NUL is refused where the value stands alone: written as JSON, not every database would notice.
      const { rows } = hasNul(list) ? { rows: [] } : await this.#queries.rotateMany(this.#db, { list });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return batch.map((each) => {
        const row = byId.get(each.rotation.id);
        return row === undefined ? () => this.#rotateAlone(each) : () => each.resolve(row);
      });
    } catch (error) {
      const isAway = isAuthError(error) && error.code === 'store_unavailable';
      return batch.map((each) => (isAway ? () => each.reject(error) : () => this.#rotateAlone(each)));
    }
  }

  /** For a session that somebody else has locked, and for whatever would harm the others. */
  #rotateAlone({ rotation, resolve, reject }: Waiting): void {
    this.#queries.rotate(this.#db, rotation).then(({ rows: [row] }) => resolve(row), reject);
  }
}

/** A few at a time: what the first of them ask for next is under way while the others are still being served. */
async function tell(answers: readonly (() => void)[]): Promise<void> {
  for (const [index, answer] of answers.entries()) {
    if (index > 0 && index % toldAtOnce === 0) await setImmediate();
    answer();
  }
}

function hasNul(json: string): boolean {
  return json.includes(String.raw`\u0000`);
}
