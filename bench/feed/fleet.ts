import { setTimeout as pause } from 'node:timers/promises';
import { GuardProcess } from './guard-process.ts';
import { Load } from './load.ts';
import type { Order, Report } from './messages.ts';
import type { FollowedServers } from './servers.ts';
import { machineProcessorTime, ownProcessorTime, processorTimeOf, sum } from './processor-time.ts';

export const guardCount = 8;

/** How long guards may take to catch up, in milliseconds. */
const patience = 30_000;

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
  readonly #servers: FollowedServers;
  readonly #guards: readonly GuardProcess[];

  private constructor(servers: FollowedServers, guards: readonly GuardProcess[]) {
    this.#servers = servers;
    this.#guards = guards;
    this.load = new Load(servers.addresses.map(({ url }) => url));
  }

  static async following(servers: FollowedServers): Promise<FollowedFleet> {
    const { addresses, guard } = servers;
    const guards = Array.from(
      { length: guardCount },
      (_, index) => new GuardProcess(guard.program, { ...guard, node: addresses[index % addresses.length]?.url ?? '' }),
    );
    const followed = new FollowedFleet(servers, guards);
    await followed.#untilAll(({ isCurrent }) => isCurrent, 'follow the feed');
    return followed;
  }

  issue(count: number): Promise<string[]> {
    return this.#servers.issue(count);
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
      servers: sum(this.#servers.pids().map(processorTimeOf)),
      guards: reports.map(({ processorTime }) => processorTime),
      load: ownProcessorTime(),
      machine: machineProcessorTime(),
    };
  }

  async stop(): Promise<void> {
    this.load.close();
    await Promise.all(this.#guards.map((guard) => guard.stop()));
    await this.#servers.stop();
  }

  async #untilAll(holds: (report: Report) => boolean, what: string): Promise<void> {
    const deadline = performance.now() + patience;
    while (!(await this.ask()).every(holds)) {
      if (performance.now() > deadline) throw new Error(`some guards do not ${what}`);
      await pause(50);
    }
  }
}
