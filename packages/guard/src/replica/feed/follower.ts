import { setTimeout as pause } from 'node:timers/promises';
import type { Clocks } from './clocks.ts';
import { FeedFault } from './fault.ts';
import type { FeedNode } from './feed-node.ts';
import type { FollowedLog } from './followed-log.ts';
import { PollSession } from './poll-session.ts';
import { reconnectPause } from './reconnect-pause.ts';
import type { Session, SessionContext } from './session.ts';
import type { SnapshotKeeper } from './snapshot-keeper.ts';
import { StreamSession } from './stream-session.ts';
import { type Transport, TransportChoice } from './transport-choice.ts';

export interface FollowerOptions {
  readonly nodes: readonly FeedNode[];
  readonly log: FollowedLog;
  readonly snapshots: SnapshotKeeper;
  readonly transport: Transport;
  readonly clocks: Clocks;
  readonly guardId: string;
  /** See SessionContext. */
  readonly lease: number;
  readonly bound: () => number;
  /** Called when a connection is lost: what the log says meanwhile is heard later, what the issuer signs comes at once. */
  readonly onLost: () => void;
}

/** Where the log is followed at the moment. */
export interface Connection {
  readonly node: string;
  readonly transport: 'stream' | 'poll';
}

interface Problem {
  readonly fault: unknown;
  /** On the monotonic clock. */
  readonly at: number;
}

/** How long taking leave may take, in milliseconds. */
const patienceToLeave = 1000;

/** Faults after which the same node is the best one to ask. */
const stayAfter: ReadonlySet<unknown> = new Set(['resync', 'gap', 'restored']);

/**
 * Follows the log, for ever: over one node after the other, by stream or by polling, through snapshots when it must.
 *
 * Never rejects and never keeps the process alive.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #choice: TransportChoice;
  readonly #closing = new AbortController();
  #nodeIndex = 0;
  #session: Session | undefined;
  #connection: Connection | undefined;
  #problem: Problem | undefined;
  /** Connections that came to nothing, one after the other. */
  #failures = 0;
  #isLeaving = false;
  /** How many pings have been sent, over all sessions. */
  #pings = 0;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#choice = new TransportChoice(options.transport);
    // Guards of one fleet do not all begin with the same node.
    this.#nodeIndex = Math.floor(Math.random() * options.nodes.length);
  }

  /** Where the log is followed; undefined while there is no connection. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** What ended the last connection, until another one has proved itself. */
  get problem(): unknown {
    return this.#problem !== undefined && !this.#options.log.lease.reaches(this.#problem.at)
      ? this.#problem.fault
      : undefined;
  }

  /** The nodes, the one that is followed first. */
  get nodes(): readonly FeedNode[] {
    const { nodes } = this.#options;
    return [...nodes.slice(this.#nodeIndex), ...nodes.slice(0, this.#nodeIndex)];
  }

  /** Something suggests that there is news: ask. */
  nudge(): void {
    this.#session?.nudge();
  }

  async run(): Promise<void> {
    while (!this.#isLeaving) {
      const startedAt = this.#options.clocks.monotonic();
      const fault = await this.#follow().catch((error: unknown) => error);
      [this.#session, this.#connection] = [undefined, undefined];
      this.#failures = this.#options.log.lease.reaches(startedAt) ? 0 : this.#failures + 1;
      if (fault !== undefined && !this.#isLeaving) await this.#moveOn(fault);
    }
  }

  /** Takes leave, so that nobody waits for this guard any more, and ends the connection. */
  async close(): Promise<void> {
    const [node] = this.nodes;
    // The node ends the stream when it hears of that.
    this.#isLeaving = true;
    if (node !== undefined && this.#connection !== undefined) await this.#leave(node).catch(() => undefined);
    this.#closing.abort();
    for (const each of this.#options.nodes) each.close();
  }

  async #follow(): Promise<void> {
    const { log, snapshots } = this.#options;
    const [node] = this.nodes;
    if (node === undefined) throw new RangeError('There is a node to follow');
    if (log.needsSnapshot) await snapshots.load(node, this.#closing.signal);
    const rest = this.#choice.next();
    return rest === undefined ? this.#stream(node) : this.#poll(node, rest);
  }

  async #stream(node: FeedNode): Promise<void> {
    const session = new StreamSession(this.#contextOf(node, 'stream'));
    this.#session = session;
    await session.run().catch((fault: unknown) => {
      this.#choice.noteStream(fault);
      throw fault;
    });
  }

  async #poll(node: FeedNode, rest: number): Promise<void> {
    await new PollSession(this.#contextOf(node, 'poll'), this.#options.clocks.monotonic() + rest).run();
    this.#choice.noteRest();
  }

  async #leave(node: FeedNode): Promise<void> {
    const { log, guardId } = this.#options;
    const text = JSON.stringify({ guard: guardId, n: 0, cursor: log.cursor, leaving: true });
    const body = { type: 'application/json', text };
    // A process that ended before would close the stream first, by which nobody knows that it grants no more.
    const request = { path: 'feed/ping', accept: '*/*', body, patience: patienceToLeave, holdsProcess: true };
    const answer = await node.send(request, 204, 410);
    answer.body.resume();
  }

  #contextOf(node: FeedNode, transport: Connection['transport']): SessionContext {
    const { log, clocks, guardId, lease, bound } = this.#options;
    const onConnected = (): void => void (this.#connection = { node: node.url, transport });
    const nextPing = (): number => (this.#pings += 1);
    return { node, log, clocks, guardId, lease, bound, nextPing, onConnected, signal: this.#closing.signal };
  }

  async #moveOn(fault: unknown): Promise<void> {
    const { nodes, clocks, onLost } = this.#options;
    this.#problem = { fault, at: clocks.monotonic() };
    onLost();
    const reason = fault instanceof FeedFault ? fault.reason : undefined;
    if (reason === undefined || !stayAfter.has(reason)) this.#nodeIndex = (this.#nodeIndex + 1) % nodes.length;
    const asked = fault instanceof FeedFault ? fault.pause : 0;
    const milliseconds = Math.max(asked, reconnectPause(this.#failures, Math.random()));
    await pause(milliseconds, undefined, { ref: false, signal: this.#closing.signal }).catch(() => undefined);
  }
}
