import type { Change, ChangeBatch, ChangeSource } from '../replica/change.ts';

/** A change to log; what it leaves out is empty, unexpiring and critical. */
export type NewChange = Pick<Change, 'kind'> & Partial<Omit<Change, 'sequence'>>;

/** A change log in memory: what an authorization server keeps in its database. */
export class ChangeLog implements ChangeSource {
  readonly #changes: Change[] = [];
  #incarnation = 'first';
  #head = 0;
  /** The cursor of every read, in order. */
  readonly reads: number[] = [];
  /** Whether reading fails, as it does while a database is down. */
  isDown = false;

  get head(): number {
    return this.#head;
  }

  append(change: NewChange): number {
    this.#head += 1;
    this.#changes.push({ key: '', expiresAt: undefined, critical: true, ...change, sequence: this.#head });
    return this.#head;
  }

  /** What a restore from a backup does: another incarnation that knows only the first changes. */
  restore(head: number, incarnation = `${this.#incarnation}+`): void {
    this.#changes.splice(0, this.#changes.length, ...this.#changes.filter(({ sequence }) => sequence <= head));
    this.#head = head;
    this.#incarnation = incarnation;
  }

  async readSince(cursor: number): Promise<ChangeBatch> {
    this.reads.push(cursor);
    if (this.isDown) throw new Error('the database does not answer');
    const changes = this.#changes.filter(({ sequence }) => sequence > cursor);
    return { incarnation: this.#incarnation, head: this.#head, changes };
  }
}
