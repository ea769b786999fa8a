import { setImmediate } from 'node:timers/promises';
import { isAuthError } from '../../errors.ts';
import { steadyTime } from '../../ports.ts';

/** How many hear of what they asked for before others have a turn. */
const toldAtOnce = 16;

/** How long a batch waits for company at most, in milliseconds. */
const longestPatience = 20;

/** What is done together, and how. */
export interface BatchWork<Item, Result> {
  /** How many items one batch holds at most. */
  readonly most: number;
  /** How many batches are under way at most. */
  readonly atOnce: number;
  /**
   * How long a batch waits for company at most, as a multiple of how long the one before it took (never over 20 ms): when
   * somebody came while that one was under way, for as many as it held besides. Under load fewer batches then do the same,
   * and cost less. Who comes while no batch is under way and nobody waits begins one at once. Only where one batch is
   * under way at a time. Default: nobody waits.
   */
  readonly patience?: number;
  /** What an item is about. What is about the same is never done at the same time: the second depends on the first. */
  readonly subjectOf: (item: Item) => unknown;
  /** Does all of them, or none and rejects. Tells the results by subject, and leaves out what has to be done alone. */
  readonly together: (items: readonly Item[]) => Promise<ReadonlyMap<unknown, Result>>;
  readonly alone: (item: Item) => Promise<Result>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Group commit. All that is asked for while batches are under way is done by the next one: one commit for all of it. */
export class Batches<Item, Result> {
  readonly #work: BatchWork<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  /** What the batches that are under way are about. */
  readonly #busy = new Set<unknown>();
  #batches = 0;
  /** How many have to wait before a batch begins while none is under way, unless the time is up before. */
  #enough = 1;
  #timeIsUp: NodeJS.Timeout | undefined;

  constructor(work: BatchWork<Item, Result>) {
    this.#work = work;
  }

  ask(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length !== this.#enough) return;
      // What is asked for at the same moment goes along.
      process.nextTick(() => {
        if (this.#areEnough()) void this.#begin();
      });
    });
  }

  async #begin(): Promise<void> {
    if (this.#batches >= this.#work.atOnce) return;
    clearTimeout(this.#timeIsUp);
    this.#enough = 1;
    const batch = this.#take();
    if (batch.size === 0) return;
    this.#batches += 1;
    for (const subject of batch.keys()) this.#busy.add(subject);
    const began = steadyTime();
    const answers = await this.#do(batch);
    for (const subject of batch.keys()) this.#busy.delete(subject);
    this.#batches -= 1;
    this.#goOn(batch.size, steadyTime() - began);
    await tell(answers);
  }

  /** Begins the next batch when as many wait as have come meanwhile and the last one held, or when it is time. */
  #goOn(size: number, took: number): void {
    const { most, patience = 0 } = this.#work;
    if (this.#waiting.length === 0) return;
    const wait = Math.min(longestPatience, patience * took);
    // A timer takes a millisecond at least.
    this.#enough = wait < 1 ? 1 : Math.min(most, size + this.#waiting.length);
    if (this.#areEnough()) void this.#begin();
    else this.#timeIsUp = setTimeout(() => void this.#begin(), wait);
  }

  #areEnough(): boolean {
    return this.#waiting.length >= this.#enough;
  }

  #take(): ReadonlyMap<unknown, Waiting<Item, Result>> {
    const batch = new Map<unknown, Waiting<Item, Result>>();
    const rest: Waiting<Item, Result>[] = [];
    for (const each of this.#waiting) {
      const subject = this.#work.subjectOf(each.item);
      if (batch.size < this.#work.most && !batch.has(subject) && !this.#busy.has(subject)) batch.set(subject, each);
      else rest.push(each);
    }
    this.#waiting = rest;
    return batch;
  }

  /** Gives the answers, each to be told to whoever waits for it. */
  async #do(batch: ReadonlyMap<unknown, Waiting<Item, Result>>): Promise<readonly (() => void)[]> {
    try {
      const results = await this.#work.together([...batch.values()].map(({ item }) => item));
      return [...batch].map(([subject, each]) => () => {
        const result = results.get(subject);
        if (result === undefined) this.#doAlone(each);
        else each.resolve(result);
      });
    } catch (error) {
      const isAway = isAuthError(error) && error.code === 'store_unavailable';
      return [...batch.values()].map((each) => () => (isAway ? each.reject(error) : this.#doAlone(each)));
    }
  }

  /** For what somebody else has locked, and for whatever would harm the others. */
  #doAlone({ item, resolve, reject }: Waiting<Item, Result>): void {
    this.#work.alone(item).then(resolve, reject);
  }
}

/** A few at a time: what the first of them ask for next is under way while the others are still being served. */
async function tell(answers: readonly (() => void)[]): Promise<void> {
  for (const [index, answer] of answers.entries()) {
    if (index > 0 && index % toldAtOnce === 0) await setImmediate();
    answer();
  }
}
