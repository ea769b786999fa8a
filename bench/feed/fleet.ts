import type { EmptyDatabase } from '../../packages/auth/test/databases.ts';
import { type Fleet, startFleet } from '../../test/races/fleet.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { GuardProcess } from './guard-process.ts';
import { Load } from './load.ts';
import type { Order, Report } from './messages.ts';
import { machineProcessorTime, ownProcessorTime, processorTimeOf, sum } from './processor-time.ts';

export const guardCount = 8;

/** How long guards may take to catch up, in milliseconds. */
const patience = 30_000;
const issuedAtOnce = 16;

/** Processor time since the beginning, in milliseconds. */
export interface ProcessorTimes {
  readonly servers: number;
  readonly guards: readonly number[];
  readonly load: number;
  /** Everything that ran on the machine, the database included, and whatever else there was. */
  readonly machine: number;
}

/** Servers on one database, guards that follow them, and who revokes. */
export class FollowedFleet {
  readonly load: Load;
  readonly #fleet: Fleet;
  readonly #guards: readonly GuardProcess[];

  private constructor(fleet: Fleet, guards: readonly GuardProcess[]) {
    this.#fleet = fleet;
    this.#guards = guards;
    this.load = new Load(fleet.servers.map(({ url }) => url));
  }

  static async start(database: EmptyDatabase, servers: number): Promise<FollowedFleet> {
    const fleet = await startFleet(database, () => ({}), servers);
    const { issuer, feed } = fleet.auth;
    const { credential } = await feed.credentials.create('bench');
    const guards = Array.from(
      { length: guardCount },
      (_, index) => new GuardProcess({ issuer, credential, node: fleet.servers[index % servers]?.url ?? '' }),
    );
    const followed = new FollowedFleet(fleet, guards);
    await followed.#untilAll(({ isCurrent }) => isCurrent, 'follow the feed');
    return followed;
  }

  /** Signs somebody in so many times. */
  async issue(count: number): Promise<string[]> {
    const { auth } = this.#fleet;
    const { id } = await auth.users.create({ username: 'ada', password: 'plum-otter-violin-91' });
    const tokens: string[] = [];
    const lane = async (): Promise<void> => {
      while (tokens.length < count) tokens.push((await auth.tokens.issue(id)).accessToken);
    };
    await Promise.all(Array.from({ length: issuedAtOnce }, lane));
    return tokens.slice(0, count);
  }

  /** Gives all guards an order. */
  ask(order: Omit<Order, 'number'> = {}): Promise<Report[]> {
    return Promise.all(this.#guards.map((guard) => guard.ask(order)));
  }

  /** Waits until every guard has refused the tokens in a range, or until it is clear that one will not. */
  async untilRefused(from: number, to: number): Promise<void> {
    await this.#untilAll(({ refusedAt }) => !refusedAt.subarray(from, to).some(Number.isNaN), 'refuse').catch(
      () => undefined,
    );
  }

  async processorTimes(): Promise<ProcessorTimes> {
    const reports = await this.ask();
    return {
      servers: sum(this.#fleet.servers.map(({ program }) => processorTimeOf(program.child.pid))),
      guards: reports.map(({ processorTime }) => processorTime),
      load: ownProcessorTime(),
      machine: machineProcessorTime(),
    };
  }

  async stop(): Promise<void> {
    this.load.close();
    await Promise.all(this.#guards.map((guard) => guard.stop()));
    await this.#fleet.stop();
  }

  async #untilAll(holds: (report: Report) => boolean, what: string): Promise<void> {
    const deadline = performance.now() + patience;
    while (!(await this.ask()).every(holds)) {
      if (performance.now() > deadline) throw new Error(`some guards do not ${what}`);
      await pause(50);
    }
  }
}
