import { type Agenda, between, type Chance } from './agenda.ts';
import type { Engine, Presented } from './engines.ts';

/** How often answers do not arrive, and how often a forgotten tab presents an old token. */
export interface Network {
  readonly lost: number;
  readonly stale: number;
}

/** What a world is made of. */
export interface World {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly server: Engine;
  /** Told of everything the server answers. */
  readonly onPresented: (presented: Presented) => void;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const accessTokenLifetime = 10 * minute;
const shareOfRaces = 0.3;
const mostTabs = 6;

async function present(world: World, token: string): Promise<Presented> {
  const presented = await world.server.present(token);
  world.onPresented(presented);
  return presented;
}

/**
 * An honest user: works from nine to five, refreshes every ten minutes, sometimes from several tabs at once. A naive
 * client: any refusal signs it out, an answer that does not come is asked for again, one in ten times after hours.
 */
export class HonestUser {
  readonly #world: World;
  readonly #network: Network;
  /** The storage all tabs share: the newest token, and the one before. */
  current: string;
  previous: string;
  signedOut = false;

  constructor(world: World, network: Network, token: string) {
    this.#world = world;
    this.#network = network;
    this.current = token;
    this.previous = token;
  }

  start(): void {
    this.#world.agenda.after(9 * hour, () => this.#work());
  }

  #work(): void {
    if (this.signedOut) return;
    const { agenda, chance } = this.#world;
    this.#refresh();
    const pause = accessTokenLifetime + between(chance, -5, 30) * second;
    const timeOfDay = (agenda.now + pause) % day;
    const isOver = timeOfDay > 17 * hour || timeOfDay < 9 * hour;
    agenda.after(isOver ? pause + ((day + 9 * hour - timeOfDay) % day) : pause, () => this.#work());
  }

  /** One to six tabs refresh within 0.4 s. A tab that starts late enough finds the new token and leaves it at that. */
  #refresh(): void {
    const { agenda, chance } = this.#world;
    const tabs = chance() < shareOfRaces ? 2 + Math.floor(chance() * (mostTabs - 1)) : 1;
    const before = this.current;
    let [answered, back] = [0, 0];
    const done = (hasAnswer: boolean): void => {
      back += 1;
      if (hasAnswer) answered += 1;
      if (back === tabs && answered === 0) this.#askAgain();
    };
    for (let tab = 0; tab < tabs; tab += 1) {
      agenda.after(tab === 0 ? 0 : between(chance, 0, 400), () => {
        if (tab > 0 && this.current !== before) done(true);
        else this.#send(this.current, done);
      });
    }
    if (chance() < this.#network.stale) this.#forgetTab();
  }

  /** A tab that slept through the last refresh and presents what it remembers. */
  #forgetTab(): void {
    const { agenda, chance } = this.#world;
    const remembered = this.current;
    agenda.after(between(chance, 20, 120) * second, () => {
      if (this.current !== remembered) this.#send(remembered, () => undefined);
    });
  }

  #askAgain(): void {
    const { agenda, chance } = this.#world;
    const kind = chance();
    const wait =
      kind < 0.7
        ? between(chance, 1, 5) * second
        : kind < 0.9
          ? between(chance, 30, 180) * second
          : between(chance, 1, 10) * hour;
    agenda.after(wait, () => {
      if (this.signedOut) return;
      this.#send(this.current, (hasAnswer) => {
        if (!hasAnswer) this.#askAgain();
      });
    });
  }

  #send(token: string, done: (hasAnswer: boolean) => void): void {
    const { agenda, chance } = this.#world;
    const oneWay = (40 + 60 * Math.exp(chance() * 1.2)) / 2;
    const isLost = chance() < this.#network.lost;
    agenda.after(oneWay, async () => {
      const answer = await present(this.#world, token);
      agenda.after(oneWay, () => {
        if (!isLost) this.#receive(answer);
        done(!isLost);
      });
    });
  }

  #receive({ token }: Presented): void {
    if (token === undefined) this.signedOut = true;
    else if (token !== this.current) [this.previous, this.current] = [this.current, token];
  }
}

/** Somebody who has copied a refresh token from the user. */
export interface Thief {
  readonly name: string;
  readonly does: string;
  readonly takes: (user: HonestUser) => string;
  readonly pause: number;
  /** Goes on with what it got last, or presents what it took again and again. */
  readonly follows: boolean;
}

export const thieves: readonly Thief[] = [
  {
    name: 'A',
    does: 'copies the current token, refreshes every 10 min',
    takes: current,
    pause: 10 * minute,
    follows: true,
  },
  {
    name: 'B',
    does: 'finds a spent token in a log',
    takes: (user) => user.previous,
    pause: 10 * minute,
    follows: true,
  },
  { name: 'C', does: 'polls every 5 s with the newest it has', takes: current, pause: 5 * second, follows: true },
  { name: 'D', does: 'presents the stolen token every 5 s', takes: current, pause: 5 * second, follows: false },
];

function current(user: HonestUser): string {
  return user.current;
}

/** Lets a thief steal between ten and eleven on the first day; tells when it first succeeded. */
export function letSteal(world: World, user: HonestUser, thief: Thief, onSuccess: (now: number) => void): void {
  const { agenda, chance } = world;
  const use = async (token: string): Promise<void> => {
    const { token: got } = await present(world, token);
    if (got === undefined) return;
    onSuccess(agenda.now);
    agenda.after(thief.pause, () => use(thief.follows ? got : token));
  };
  agenda.after(10 * hour + chance() * hour, () => use(thief.takes(user)));
}
