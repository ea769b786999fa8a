import type { AccessTokenClaims } from '@sallyport/jwt';
import { type Change, type ChangeKind, changeKinds } from './change.ts';
import type { ChangeIndex } from './change-index.ts';

const knownKinds: ReadonlySet<number> = new Set(Object.values(changeKinds));

/** What ends tokens, and the claim that says whether one is meant. */
const deaths: readonly {
  readonly kind: ChangeKind;
  readonly keyIn: (claims: AccessTokenClaims) => unknown;
}[] = [
  { kind: changeKinds.sessionDead, keyIn: (claims) => claims.sid },
  { kind: changeKinds.userFloor, keyIn: (claims) => claims.sub },
  { kind: changeKinds.tokenDead, keyIn: (claims) => claims.jti },
  { kind: changeKinds.globalFloor, keyIn: () => '' },
  { kind: changeKinds.clientFloor, keyIn: (claims) => claims.client_id },
  { kind: changeKinds.organisationFloor, keyIn: (claims) => claims['o'] },
];

/** The newest change of each kind and key, as it is. For as many as a map holds with ease. */
export class ChangeTable implements ChangeIndex {
  readonly #byKind = new Map<number, Map<string, Change>>();

  get size(): number {
    let size = 0;
    for (const byKey of this.#byKind.values()) size += byKey.size;
    return size;
  }

  apply(change: Change): void {
    if (!isRelevant(change)) return;
    const byKey = this.#byKind.get(change.kind) ?? new Map<string, Change>();
    this.#byKind.set(change.kind, byKey);
    const known = byKey.get(change.key);
    byKey.set(change.key, known === undefined ? change : merge(known, change));
  }

  ends(claims: AccessTokenClaims, position: number): boolean {
    for (const { kind, keyIn } of deaths) {
      const key = keyIn(claims);
      if (typeof key === 'string' && this.hasAfter(kind, key, position)) return true;
    }
    return false;
  }

  hasAfter(kind: ChangeKind, key: string, position: number): boolean {
    const change = this.find(kind, key);
    return change !== undefined && position < change.sequence;
  }

  find(kind: ChangeKind, key: string): Change | undefined {
    return this.#byKind.get(kind)?.get(key);
  }

  findUnsupported(): Change | undefined {
    for (const [kind, byKey] of this.#byKind) {
      if (!knownKinds.has(kind)) return byKey.values().next().value;
    }
    return undefined;
  }

  absorb(index: ChangeIndex): boolean {
    if (!(index instanceof ChangeTable)) return false;
    for (const byKey of index.#byKind.values()) {
      for (const change of byKey.values()) this.apply(change);
    }
    return true;
  }

  sweep(before: number): void {
    for (const [kind, byKey] of this.#byKind) {
      for (const { key, expiresAt } of byKey.values()) {
        if (expiresAt !== undefined && expiresAt < before) byKey.delete(key);
      }
      if (byKey.size === 0) this.#byKind.delete(kind);
    }
  }
}

/** A change of an unknown kind says nothing, unless it says that whoever does not know it must stop. */
function isRelevant({ kind, critical }: Change): boolean {
  return critical || knownKinds.has(kind);
}

/** The newer of two changes about one key, for as long as the longer-lived would live. */
function merge(known: Change, change: Change): Change {
  const newer = known.sequence < change.sequence ? change : known;
  const expiresAt = laterExpiry(known.expiresAt, change.expiresAt);
  return newer.expiresAt === expiresAt ? newer : { ...newer, expiresAt };
}

function laterExpiry(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}
