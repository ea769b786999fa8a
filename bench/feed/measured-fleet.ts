import { setTimeout as pause } from 'node:timers/promises';
import { now } from '../../test/chaos/moment.ts';
import type { FollowedFleet } from './fleet.ts';
import type { Report } from './messages.ts';
import { sum } from './processor-time.ts';
import { callsOf, carryOut, type Plan, type Run, type Use, useBetween } from './runs.ts';

/** How many tokens nobody revokes. */
const honest = 100;
const idleSeconds = 20;
/** How long everybody may still be busy with what was before, in milliseconds. */
const settling = 10_000;

/** Processors in use while nothing happens, and by the guard that uses most. */
export interface IdleUse extends Use {
  readonly guard: number;
}

/** What is known of a fleet when everything has been carried out. */
export interface Outcome {
  /** Revoked tokens that a guard grants at the end, counted for each guard. */
  readonly missed: number;
  /** How often an honest token was not granted. */
  readonly turnedAway: number;
  readonly checks: number;
}

/** A fleet with as many tokens as its plans revoke, all of which its guards have granted before. */
export class MeasuredFleet {
  readonly #fleet: FollowedFleet;
  readonly #tokens: readonly string[];
  #revoked = 0;

  private constructor(fleet: FollowedFleet, tokens: readonly string[]) {
    this.#fleet = fleet;
    this.#tokens = tokens;
  }

  static async preparedFor(plans: readonly Plan[], fleet: FollowedFleet): Promise<MeasuredFleet> {
    const tokens = await fleet.issue(sum(plans.map(callsOf)) + honest);
    await fleet.ask({ learn: { tokens, honest } });
    if (wrong(await fleet.ask({ checkAll: true }), 'granted', 0) > 0) throw new Error('A good token was refused');
    return new MeasuredFleet(fleet, tokens);
  }

  async idle(): Promise<IdleUse> {
    await pause(settling);
    const [before, begun] = [await this.#fleet.processorTimes(), now()];
    await pause(idleSeconds * 1000);
    const [after, elapsed] = [await this.#fleet.processorTimes(), now() - begun];
    const guards = after.guards.map((time, index) => (time - (before.guards[index] ?? 0)) / elapsed);
    return { ...useBetween(before, after, elapsed), guard: Math.max(...guards) };
  }

  async carryOut(plan: Plan): Promise<Run> {
    const run = await carryOut(plan, this.#fleet, this.#tokens, this.#revoked);
    this.#revoked += callsOf(plan);
    return run;
  }

  async outcome(): Promise<Outcome> {
    const reports = await this.#fleet.ask({ checkAll: true });
    const total = (member: 'turnedAway' | 'checks'): number => sum(reports.map((report) => report[member]));
    return {
      missed: wrong(reports, 'token_revoked', 0, this.#revoked),
      turnedAway: total('turnedAway') + wrong(reports, 'granted', this.#revoked),
      checks: total('checks'),
    };
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }
}

/** How many verdicts of all guards on the tokens of a range are another one than is right. */
function wrong(reports: readonly Report[], right: string, from: number, to?: number): number {
  return reports.flatMap(({ verdicts }) => verdicts.slice(from, to)).filter((code) => code !== right).length;
}
