import { randomBytes } from 'node:crypto';
import type { Algorithm, Keys } from '@sallyport/jwt';
import type { AccessToken, Knowledge } from '../knowledge.ts';
import { ChangesUnavailableError, type GuardStatus, type Judgement, type MaxStaleness, type Truth } from '../truth.ts';
import { type Clocks, clocksWith } from './clocks.ts';
import type { ResolvedFeedOptions } from './feed-options.ts';
import { FeedNode } from './feed-node.ts';
import { FollowedLog } from './followed-log.ts';
import { Follower } from './follower.ts';
import { Introspection } from './introspection.ts';
import { SnapshotFile } from './snapshot-file.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { createProofCheck } from './snapshot-proof.ts';

export interface FeedReplicaOptions {
  readonly feed: ResolvedFeedOptions;
  readonly issuer: string;
  readonly keys: Keys;
  readonly algorithms: readonly Algorithm[] | undefined;
  readonly clockTolerance: number;
  readonly now: () => Date;
  /** Called when a signing key has died, or may have. */
  readonly onKeysDead: () => void;
  /** See FollowerOptions. */
  readonly onLost: () => void;
}

const milliseconds = 1000;
const sweepEvery = 1000;
const refreshFileEvery = 300_000;
/** What is promised to the issuer where this guard itself has no bound, in seconds. */
const ordinaryBound = 30;
const closed = 'The guard was closed';
/** How long a request waits for changes that its token proves to exist, in milliseconds. */
const waitForChanges = 50;

/**
 * A copy of what the change log says about tokens that may still be alive, kept up to date through the issuer's feed.
 *
 * Decides at once from memory while that is fresh enough. Never keeps the process alive, but for requests that wait.
 */
export class FeedReplica implements Truth {
  readonly #feed: ResolvedFeedOptions;
  readonly #clocks: Clocks;
  readonly #log: FollowedLog;
  readonly #snapshots: SnapshotKeeper;
  readonly #follower: Follower;
  readonly #introspection: Introspection;
  readonly #closing = new AbortController();
  #tightestBound: number;
  #isClosed = false;

  constructor(
    { feed, onKeysDead, onLost, ...expected }: FeedReplicaOptions,
    clocks: Clocks = clocksWith(expected.now),
  ) {
    const { maxStaleness, transport, snapshotFile } = feed;
    const nodes = feed.nodes.map((url) => new FeedNode(url, feed.credential));
    const log = new FollowedLog(clocks, onKeysDead);
    const file = snapshotFile === undefined ? undefined : new SnapshotFile(snapshotFile);
    const snapshots = new SnapshotKeeper({ log, clocks, check: createProofCheck(expected), file });
    this.#feed = feed;
    this.#clocks = clocks;
    this.#log = log;
    this.#snapshots = snapshots;
    this.#tightestBound = maxStaleness === 'until-expiry' ? ordinaryBound : maxStaleness;
    const guardId = randomBytes(16).toString('base64url');
    const bound = (): number => this.#tightestBound * milliseconds;
    const lease = Math.ceil(this.#tightestBound);
    this.#follower = new Follower({ nodes, log, snapshots, transport, clocks, guardId, lease, bound, onLost });
    this.#introspection = new Introspection({ nodes: () => this.#follower.nodes, clocks });
  }

  /** Begins to follow. */
  start(): this {
    const { signal } = this.#closing;
    const timers = [
      setInterval(() => this.#log.sweep(), sweepEvery),
      setInterval(() => void this.#refreshFile(), refreshFileEvery),
    ];
    for (const timer of timers) timer.unref();
    signal.addEventListener('abort', () => timers.forEach((timer) => clearInterval(timer)));
    void this.#snapshots.restore().then(() => this.#follower.run());
    return this;
  }

  judge(
    token: AccessToken,
    text: string,
    maxStaleness: MaxStaleness = this.#feed.maxStaleness,
  ): Judgement | Promise<Judgement> {
    const { knowledge, refusal } = this.#log;
    if (this.#isClosed) return new ChangesUnavailableError(closed);
    if (refusal !== undefined) return new ChangesUnavailableError(refusal);
    if (knowledge === undefined || !this.#isFresh(maxStaleness)) return this.#ask(text);
    if (!knowledge.isAheadOf(token.claims)) return decide(knowledge, token);
    if (this.#log.noteAhead(token.claims)) this.#follower.nudge();
    return maxStaleness === 'until-expiry' ? decide(knowledge, token) : this.#catchUp(knowledge, token);
  }

  status(): GuardStatus {
    const { knowledge, cursor, missing, lease } = this.#log;
    const { connection } = this.#follower;
    const staleness = lease.ageAt(this.#clocks.monotonic(), this.#clocks.wall()) / milliseconds;
    const problem = this.#findProblem();
    return {
      ready: this.#isReady(),
      ...(problem === undefined ? {} : { problem }),
      connected: connection !== undefined,
      ...connection,
      ...(cursor === undefined ? {} : { cursor }),
      lag: missing,
      ...(Number.isFinite(staleness) ? { staleness } : {}),
      entries: knowledge?.size ?? 0,
    };
  }

  onChange(listener: () => void): () => void {
    return this.#log.onChange(listener);
  }

  /** Takes leave of the issuer, who counts on this guard to grant nothing from now on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort();
    await this.#follower.close();
  }

  async #refreshFile(): Promise<void> {
    const [node] = this.#follower.nodes;
    if (node !== undefined && this.#follower.connection !== undefined) {
      await this.#snapshots.refreshFile(node, this.#closing.signal);
    }
  }

  #isReady(): boolean {
    const { knowledge, refusal } = this.#log;
    const mayGrant = !this.#isClosed && refusal === undefined && knowledge !== undefined;
    return mayGrant && this.#isFresh(this.#feed.maxStaleness);
  }

  /** What is wrong, also while the guard still decides. */
  #findProblem(): string | undefined {
    if (this.#isClosed) return closed;
    const fault = this.#follower.problem ?? this.#snapshots.problem;
    const problem = this.#log.refusal ?? (fault instanceof Error ? fault.message : undefined);
    if (problem !== undefined || this.#isReady()) return problem;
    return this.#log.knowledge === undefined ? 'The feed has not been read yet' : 'The feed is not heard any more';
  }

  #isFresh(maxStaleness: MaxStaleness): boolean {
    const wall = this.#clocks.wall();
    if (!this.#log.isCompleteAt(wall)) return false;
    if (maxStaleness === 'until-expiry') return true;
    if (maxStaleness < this.#tightestBound) this.#tightestBound = maxStaleness;
    return this.#log.lease.ageAt(this.#clocks.monotonic(), wall) <= maxStaleness * milliseconds;
  }

  /** Whoever has just signed in, or been given a role, is not judged by what was known before. */
  async #catchUp(knowledge: Knowledge, token: AccessToken): Promise<Judgement> {
    const deadline = this.#clocks.monotonic() + waitForChanges;
    for (;;) {
      const left = deadline - this.#clocks.monotonic();
      if (left <= 0 || !knowledge.isAheadOf(token.claims)) break;
      await this.#log.changed(left);
    }
    return this.#log.refusal === undefined ? decide(knowledge, token) : new ChangesUnavailableError(this.#log.refusal);
  }

  async #ask(text: string): Promise<Judgement> {
    return (await this.#introspection.ask(text)) ?? new ChangesUnavailableError(this.#findProblem());
  }
}

function decide(knowledge: Knowledge, token: AccessToken): Judgement {
  return knowledge.findRevocation(token) ?? knowledge.rightsOf(token.claims);
}
