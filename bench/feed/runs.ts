import { now } from '../../test/chaos/moment.ts';
import type { Call } from './load.ts';
import type { FollowedFleet, ProcessorTimes } from './fleet.ts';
import { sum } from './processor-time.ts';

/** How many tokens are revoked in what way, and how fast. */
export interface Plan {
  readonly name: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Whether each revocation waits for all guards. */
  readonly confirm: boolean;
}

/** Processors in use, of which the machine has some: 0.5 is half of one. */
export interface Use {
  readonly servers: number;
  readonly guards: number;
  readonly load: number;
  readonly machine: number;
}

/** What became of one run. Latencies are in milliseconds. */
export interface Run {
  readonly plan: Plan;
  /** Revocations a second that were asked for. */
  readonly asked: number;
  /** Revocations a second that were answered: less, when the machine cannot do as many. */
  readonly answered: number;
  /** How often a server answered 503 and was asked again; the latencies include it. */
  readonly repetitions: number;
  readonly untilAnswer: readonly number[];
  /** From the call until a guard refuses: for each revocation and guard. */
  readonly untilEach: readonly number[];
  /** From the call until the last guard refuses. */
  readonly untilAll: readonly number[];
  /** From the answer until the last guard refuses; below 0 when the guards were quicker. */
  readonly afterAnswer: readonly number[];
  readonly use: Use;
}

/** How soon the first token is revoked, in milliseconds. */
const lead = 100;

export const callsOf = ({ perSecond, seconds }: Plan): number => perSecond * seconds;

/** Revokes the tokens from one place on as a plan says, while all guards check them. */
export async function carryOut(
  plan: Plan,
  fleet: FollowedFleet,
  tokens: readonly string[],
  from: number,
): Promise<Run> {
  const to = from + callsOf(plan);
  const interval = 1000 / plan.perSecond;
  await fleet.ask({ watch: { from, to } });
  const startAt = now() + lead;
  const [before, startedAt] = [await fleet.processorTimes(), now()];
  const calls = await fleet.load.revoke(tokens.slice(from, to), { startAt, interval, confirm: plan.confirm });
  const [after, endedAt] = [await fleet.processorTimes(), now()];
  await fleet.untilRefused(from, to);
  const refusals = (await fleet.ask()).map(({ refusedAt }) => refusedAt.subarray(from, to));
  // NaN, when there is a guard that never refused.
  const last = calls.map((_, index) => Math.max(...refusals.map((refusedAt) => refusedAt[index] ?? Number.NaN)));
  const begun = calls[0]?.askedAt ?? 0;
  const rate = (momentOf: (call: Call) => number): number =>
    ((calls.length - 1) * 1000) / (Math.max(...calls.map(momentOf)) - begun);
  const since = (moment: 'askedAt' | 'answeredAt', moments: ArrayLike<number>): number[] =>
    calls.map((call, index) => (moments[index] ?? Number.NaN) - call[moment]);
  return {
    plan,
    asked: rate((call) => call.askedAt),
    answered: rate((call) => call.answeredAt),
    repetitions: sum(calls.map(({ repetitions }) => repetitions)),
    untilAnswer: calls.map(({ askedAt, answeredAt }) => answeredAt - askedAt),
    untilEach: refusals.flatMap((refusedAt) => since('askedAt', refusedAt)),
    untilAll: since('askedAt', last),
    afterAnswer: since('answeredAt', last),
    use: useBetween(before, after, endedAt - startedAt),
  };
}

/** Processors that were in use over so many milliseconds. */
export function useBetween(before: ProcessorTimes, after: ProcessorTimes, elapsed: number): Use {
  return {
    servers: (after.servers - before.servers) / elapsed,
    guards: (sum(after.guards) - sum(before.guards)) / elapsed,
    load: (after.load - before.load) / elapsed,
    machine: (after.machine - before.machine) / elapsed,
  };
}
