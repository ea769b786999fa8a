import { isAuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { randomId, type Clock, type Random } from '../ports.ts';
import { later } from '../sessions/session-lifetimes.ts';
import type { Store } from '../stores/store.ts';
import { keptFor, Round } from './pruning.ts';

/** How often a round is due, in milliseconds; each pause is up to a fifth shorter, so that servers do not meet. */
const interval = 60_000;
const firstAfter = 10_000;

/** How long a guard stays written down after its lease has ended, in seconds: whoever waited for it has gone by then. */
const guardsKeptFor = 3_600;

/** What a round works with. */
export interface UpkeepDependencies {
  readonly store: Store;
  readonly keys: Pick<SigningKeys, 'upkeep'>;
  readonly adjustClock: () => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
}

/** What one round did. */
export interface UpkeepReport {
  /** Sessions that were removed because they had ended or expired two days before. */
  readonly sessions: number;
  /** Entries of the change log that were removed because they had expired two days before. */
  readonly changes: number;
}

/**
 * What has to be done from time to time while serving: adjust the clock to the database's, rotate signing keys that have
 * come of age, remove what is over. Any number of servers may do so on one database.
 */
export class Upkeep {
  readonly #dependencies: UpkeepDependencies;
  readonly #sessions: Round<string>;
  readonly #changes: Round<number>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<UpkeepReport> | undefined;
  #stopped = false;

  constructor(dependencies: UpkeepDependencies) {
    const { store, clock, random } = dependencies;
    const end = (): Date => later(clock(), -keptFor);
    this.#dependencies = dependencies;
    this.#sessions = new Round('', (after, limit) => store.sessions.prune(after, limit, end()), randomId(random));
    this.#changes = new Round(0, (after, limit) => store.changes.prune(after, limit, end()));
  }

  /** Begins to do a round about every minute. Does not keep the process alive. */
  start(): void {
    this.#schedule(firstAfter);
  }

  /** Ends that, and waits until the round under way has stopped too. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  /** Does a round now, or shares the one under way. @throws {AuthError} `store_unavailable` */
  run(): Promise<UpkeepReport> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #round(): Promise<UpkeepReport> {
    const { store, keys, adjustClock, clock, emit } = this.#dependencies;
    await adjustClock();
    await keys.upkeep();
    const isOver = (): boolean => this.#stopped;
    await store.guards.prune(later(clock(), -guardsKeptFor));
    const report = { sessions: await this.#sessions.run(isOver), changes: await this.#changes.run(isOver) };
    if (report.sessions + report.changes > 0) emit({ type: 'pruned', at: clock(), ...report });
    return report;
  }

  #schedule(after: number): void {
    if (this.#stopped) return;
    const share = 1 - (this.#dependencies.random.bytes(1)[0] ?? 0) / (5 * 255);
    this.#timer = setTimeout(() => {
      this.run()
        .catch(warn)
        .finally(() => this.#schedule(interval));
    }, after * share).unref();
  }
}

/** While the database is away there is nothing to tend, and everybody is told of it elsewhere. */
function warn(error: unknown): void {
  if (isAuthError(error) && error.code === 'store_unavailable') return;
  process.emitWarning(error instanceof Error ? error : String(error), 'SallyportUpkeep');
}
