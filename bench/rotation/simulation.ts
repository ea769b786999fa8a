import { Agenda, seeded } from './agenda.ts';
import type { Engine, OpenEngine, PolicyName, Presented } from './engines.ts';
import { HonestUser, letSteal, type Network, type Thief, type World } from './parties.ts';

export const networks: Readonly<Record<'standard' | 'harsh', Network>> = {
  standard: { lost: 0.001, stale: 0.0002 },
  harsh: { lost: 0.003, stale: 0.002 },
};

/** So that what ends a stolen session is the theft and nothing else. */
const perfect: Network = { lost: 0, stale: 0 };

const day = 86_400_000;
const month = 30 * day;
const daysOfTheft = 8 * day;
const start = new Date('2026-01-01T00:00:00Z').getTime();

/** What a month of one honest user came to. */
export interface Month {
  readonly signedOut: boolean;
  readonly outcomes: readonly string[];
}

/** What a theft came to. */
export type Theft =
  | { readonly kind: 'blocked' }
  | { readonly kind: 'undetected' }
  /**
   * From the first success to the end of the session, in milliseconds; and to the end from the moment the two went
   * different ways, which is later only while thief and user keep within the grace of one another.
   */
  | { readonly kind: 'ended'; readonly after: number; readonly afterParting: number };

/** A server that lives through many worlds, one after the other. */
export interface Simulator {
  month(seed: number, network: Network): Promise<Month>;
  theft(seed: number, thief: Thief): Promise<Theft>;
  close(): Promise<void>;
}

export async function openSimulator(policy: PolicyName, open: OpenEngine): Promise<Simulator> {
  let agenda = new Agenda();
  // Worlds follow one another, so that the server's clock never goes back.
  let worlds = 0;
  const server = await open(policy, () => new Date(start + worlds * month + agenda.now));
  const begin = (): void => {
    agenda = new Agenda();
    worlds += 1;
  };
  return {
    month: (seed, network) => {
      begin();
      return liveMonth(agenda, server, seed, network);
    },
    theft: (seed, thief) => {
      begin();
      return liveTheft(agenda, server, seed, thief);
    },
    close: () => server.close(),
  };
}

async function liveMonth(agenda: Agenda, server: Engine, seed: number, network: Network): Promise<Month> {
  const outcomes: string[] = [];
  const onPresented = ({ outcome }: Presented): void => void outcomes.push(outcome);
  const world: World = { agenda, chance: seeded(seed), server, onPresented };
  const user = new HonestUser(world, network, await server.signIn());
  user.start();
  await agenda.run(month);
  return { signedOut: user.signedOut, outcomes };
}

async function liveTheft(agenda: Agenda, server: Engine, seed: number, thief: Thief): Promise<Theft> {
  let [begun, parted, ended] = [NaN, NaN, NaN];
  const onPresented = ({ outcome }: Presented): void => {
    if (outcome === 'forked') parted = agenda.now;
    if (outcome !== 'reused') return;
    ended = agenda.now;
    agenda.stop();
  };
  const world: World = { agenda, chance: seeded(seed), server, onPresented };
  const user = new HonestUser(world, perfect, await server.signIn());
  user.start();
  letSteal(world, user, thief, (now) => {
    if (Number.isNaN(begun)) begun = now;
  });
  await agenda.run(daysOfTheft);
  if (Number.isNaN(begun)) return { kind: 'blocked' };
  if (Number.isNaN(ended)) return { kind: 'undetected' };
  return { kind: 'ended', after: ended - begun, afterParting: ended - (Number.isNaN(parted) ? begun : parted) };
}

/** Lives the same months through two servers and counts the presentations; throws where they decide differently. */
export async function agree(one: Simulator, other: Simulator, seeds: readonly number[]): Promise<number> {
  let count = 0;
  for (const seed of seeds) {
    const [expected, found] = [await one.month(seed, networks.harsh), await other.month(seed, networks.harsh)];
    const place = expected.outcomes.findIndex((outcome, index) => found.outcomes[index] !== outcome);
    if (place !== -1 || expected.outcomes.length !== found.outcomes.length) {
      throw new Error(`month ${String(seed)}: the engines part at presentation ${String(place)}`);
    }
    count += expected.outcomes.length;
  }
  return count;
}
