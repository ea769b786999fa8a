import type { Rights } from '../rights.ts';

/** A list of role names, as the way to here spells it, and longer ones that begin with it. */
interface Place {
  rights: Rights | undefined;
  readonly longer: Map<string, Place>;
}

/** Lists that are remembered at once; an issuer has a few dozen. */
const mostPlaces = 10_000;

/**
 * Remembers the rights that lists of roles come to, so that they are not worked out for every request.
 *
 * Looked up role by role, because putting a list into one text would take as long as working its rights out. What is
 * remembered is shared between requests and refuses to be changed.
 */
export class RightsMemory {
  #root: Place = emptyPlace();
  #places = 0;

  /** The rights of a list of roles, if they were worked out before. */
  recall(roles: readonly string[]): Rights | undefined {
    let place: Place | undefined = this.#root;
    for (const role of roles) {
      place = place.longer.get(role);
      if (place === undefined) return undefined;
    }
    return place.rights;
  }

  /** Remembers the rights of a list of roles, and returns them as they will be shared. */
  remember(roles: readonly string[], rights: Rights): Rights {
    if (this.#places + roles.length > mostPlaces) this.clear();
    let place = this.#root;
    for (const role of roles) place = this.#step(place, role);
    place.rights = share(rights);
    return place.rights;
  }

  /** Forgets everything: a role means something else now. */
  clear(): void {
    this.#root = emptyPlace();
    this.#places = 0;
  }

  #step(place: Place, role: string): Place {
    const known = place.longer.get(role);
    if (known !== undefined) return known;
    const step = emptyPlace();
    place.longer.set(role, step);
    this.#places += 1;
    return step;
  }
}

function emptyPlace(): Place {
  return { rights: undefined, longer: new Map() };
}

/** Makes rights fit to be handed to several callers. */
export function share({ roles, scopes }: Rights): Rights {
  return Object.freeze({ roles: unchangeable(roles), scopes: unchangeable(scopes) });
}

/** A set that throws when somebody who overlooked `ReadonlySet` would give one caller's rights to all. */
function unchangeable(set: ReadonlySet<string>): ReadonlySet<string> {
  const refuse = (): never => {
    throw new TypeError('The rights of a caller cannot be changed: several requests share them');
  };
  const refusal = { value: refuse };
  return Object.defineProperties(set, { add: refusal, delete: refusal, clear: refusal });
}
