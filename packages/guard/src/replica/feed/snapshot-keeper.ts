import { type Clocks, momentOf } from './clocks.ts';
import { FeedFault } from './fault.ts';
import { type FeedNode, readWhole } from './feed-node.ts';
import type { FollowedLog } from './followed-log.ts';
import { patience } from './session.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';
import { indexOf } from './snapshot-index.ts';
import type { SnapshotFile } from './snapshot-file.ts';
import type { ProofCheck, Proven } from './snapshot-proof.ts';

/** More than thirty million entries. */
const largestSnapshot = 536_870_912;
const snapshotType = 'application/vnd.sallyport.feed-snapshot';
const milliseconds = 1000;

export interface SnapshotKeeperOptions {
  readonly log: FollowedLog;
  readonly clocks: Clocks;
  readonly check: ProofCheck;
  readonly file: SnapshotFile | undefined;
}

/** Fetches snapshots, checks and loads them, and keeps one on disk where it is asked to. */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  /** The tag of what is on disk. */
  #kept: string | undefined;
  #problem: unknown;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
  }

  /** Why the file is not what it should be, if so. */
  get problem(): unknown {
    return this.#problem;
  }

  /**
   * Takes a snapshot from a node into the log.
   *
   * @throws {FeedFault}
   */
  async load(node: FeedNode, signal: AbortSignal): Promise<void> {
    const { log, clocks } = this.#options;
    const sent = momentOf(clocks);
    const fetched = await this.#fetch(node, signal);
    if (fetched === undefined) throw new FeedFault('malformed', `${node.url} has no snapshot`);
    const { snapshot, age } = fetched;
    await this.#prove(snapshot);
    log.load(snapshot, await indexOf(snapshot), { sent, age });
    await this.#keep(snapshot);
  }

  /** Takes what was kept on disk into the log, if it is genuine. It is as old as its proof says. */
  async restore(): Promise<void> {
    try {
      const bytes = await this.#options.file?.read();
      if (bytes !== undefined) await this.#restore(bytes);
    } catch (error) {
      this.#problem = error;
    }
  }

  /** Keeps what is known now on disk, if it is not kept already. */
  async refreshFile(node: FeedNode, signal: AbortSignal): Promise<void> {
    if (this.#options.file === undefined) return;
    try {
      const fetched = await this.#fetch(node, signal, this.#kept);
      if (fetched === undefined) return;
      await this.#prove(fetched.snapshot);
      await this.#keep(fetched.snapshot);
    } catch (error) {
      this.#problem = error;
    }
  }

  async #restore(bytes: Buffer): Promise<void> {
    const { log, clocks } = this.#options;
    const snapshot = readSnapshot(bytes);
    const { issuedAt } = await this.#prove(snapshot);
    const now = momentOf(clocks);
    log.load(snapshot, await indexOf(snapshot), { sent: now, age: undefined });
    log.lease.renew(now, Math.max(0, now.wall - issuedAt * milliseconds));
    this.#kept = tagOf(snapshot);
  }

  async #fetch(node: FeedNode, signal: AbortSignal, tag?: string): Promise<Fetched | undefined> {
    const headers = tag === undefined ? {} : { 'if-none-match': tag };
    const request = { path: 'feed/snapshot', accept: snapshotType, headers, patience, signal };
    const answer = await node.send(request, 304);
    const bytes = await readWhole(answer, largestSnapshot, patience);
    if (answer.status === 304) return undefined;
    const age = Number(answer.headers['x-age']);
    return { snapshot: readSnapshot(bytes), age: Number.isFinite(age) && age >= 0 ? age : undefined };
  }

  async #prove(snapshot: Snapshot): Promise<Proven> {
    const proven = await this.#options.check(snapshot);
    const isDead = proven.keyId !== undefined && this.#options.log.knowledge?.isKeyDead(proven.keyId) === true;
    if (isDead) throw new FeedFault('malformed', 'The snapshot is signed by a key that is dead');
    return proven;
  }

  /** A full disk must not keep a guard from what it has in memory. */
  async #keep(snapshot: Snapshot): Promise<void> {
    try {
      await this.#options.file?.write(snapshot.bytes);
      this.#kept = tagOf(snapshot);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = error;
    }
  }
}

interface Fetched {
  readonly snapshot: Snapshot;
  readonly age: number | undefined;
}

function tagOf({ incarnation, head }: Snapshot): string {
  return `"${incarnation}.${String(head)}"`;
}
