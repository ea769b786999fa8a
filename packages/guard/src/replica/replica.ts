import type { AccessTokenClaims } from '@sallyport/jwt';
import type { Rights } from '../rights.ts';
import type { ChangeBatch, ChangeSource } from './change.ts';
import { ChangeTable } from './change-table.ts';
import { type AccessToken, Knowledge, type Revocation } from './knowledge.ts';
import { SerialReads } from './serial-reads.ts';
import { ChangesUnavailableError, type GuardStatus, type Judgement, type Truth } from './truth.ts';

export interface ReplicaOptions {
  readonly source: ChangeSource;
  readonly now: () => Date;
  /** Called when a signing key has died, or may have. */
  readonly onKeysDead?: () => void;
  /** How long one read may take, in milliseconds. Default: 5000. */
  readonly timeout?: number;
}

const defaultTimeout = 5000;
const sweepMargin = 60;
/** How often whoever watches looks for changes, in milliseconds. */
const lookEvery = 50;
const milliseconds = 1000;

/**
 * A copy of what the change log says about tokens that may still be alive, brought up to date for every decision.
 *
 * For a source that answers at once: the database of the process itself.
 */
export class Replica implements Truth {
  readonly #source: ChangeSource;
  readonly #now: () => Date;
  readonly #timeout: number;
  readonly #reads: SerialReads = new SerialReads(() => this.#read());
  readonly #knowledge: Knowledge;
  #incarnation: string | undefined;
  #sweptAt = 0;
  #problem: string | undefined;

  constructor({ source, now, onKeysDead, timeout = defaultTimeout }: ReplicaOptions) {
    this.#source = source;
    this.#now = now;
    this.#timeout = timeout;
    this.#knowledge = new Knowledge(new ChangeTable(), 0, onKeysDead);
  }

  /** Judges a token by a read that begins after this call, which is fresh enough for any bound. */
  async judge(token: AccessToken): Promise<Judgement> {
    try {
      await this.refresh();
    } catch (error) {
      if (error instanceof ChangesUnavailableError) return error;
      throw error;
    }
    return this.findRevocation(token) ?? this.rightsOf(token.claims);
  }

  status(): GuardStatus {
    const { head, size } = this.#knowledge;
    return {
      ready: this.#problem === undefined,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      connected: this.#problem === undefined && this.#incarnation !== undefined,
      ...(this.#incarnation === undefined ? {} : { cursor: `${this.#incarnation}.${String(head)}` }),
      lag: 0,
      entries: size,
    };
  }

  /** Nobody tells of a change here: whoever wants to know must look, and so they do, often. */
  onChange(listener: () => void): () => void {
    const timer = setInterval(listener, lookEvery).unref();
    return () => {
      clearInterval(timer);
    };
  }

  /** There is nothing to let go of: the source is read only when somebody asks. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Catches up with the change log by a read that begins after this call.
   *
   * @throws {ChangesUnavailableError} when the source is down, or says something this version must but cannot follow.
   */
  async refresh(): Promise<void> {
    await this.#reads.fresh();
    this.#problem = this.#knowledge.unsupported;
    if (this.#problem !== undefined) throw new ChangesUnavailableError(this.#problem);
  }

  /** What the changes say against a token, if anything. */
  findRevocation(token: AccessToken): Revocation | undefined {
    return this.#knowledge.findRevocation(token);
  }

  /** The rights a token's owner has now. */
  rightsOf(claims: AccessTokenClaims): Rights {
    return this.#knowledge.rightsOf(claims);
  }

  async #read(): Promise<void> {
    const now = this.#now().getTime() / milliseconds;
    // A clock set back makes swept changes matter again.
    const cursor = now < this.#sweptAt - sweepMargin ? 0 : this.#knowledge.head;
    let batch = await this.#readSince(cursor);
    if (this.#isAnotherHistory(batch)) {
      if (cursor > 0) batch = await this.#readSince(0);
      this.#knowledge.startOver(new ChangeTable(), batch.head, now);
    }
    for (const change of batch.changes) this.#knowledge.apply(change);
    this.#incarnation = batch.incarnation;
    this.#knowledge.advance(batch.head);
    // The head is exact, so a place beyond it is of a history that was lost.
    this.#knowledge.loseFrom(batch.head + 1, Number.POSITIVE_INFINITY);
    this.#sweep(now);
  }

  async #readSince(cursor: number): Promise<ChangeBatch> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${String(this.#timeout)} ms`));
      }, this.#timeout);
    });
    try {
      return await Promise.race([this.#source.readSince(cursor), tooLong]);
    } catch (cause) {
      this.#problem = 'The change source is down';
      throw new ChangesUnavailableError(this.#problem, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  #isAnotherHistory({ incarnation, head }: ChangeBatch): boolean {
    return this.#incarnation !== undefined && (incarnation !== this.#incarnation || head < this.#knowledge.head);
  }

  #sweep(now: number): void {
    if (now >= this.#sweptAt && now < this.#sweptAt + sweepMargin) return;
    this.#knowledge.sweep(now - sweepMargin);
    this.#sweptAt = now;
  }
}
