import { type Change, type ChangeKind, changeKinds } from './change.ts';

const knownKinds: ReadonlySet<number> = new Set(Object.values(changeKinds));

/** The newest change of each kind and key. */
export class ChangeTable {
  readonly #byKind = new Map<number, Map<string, Change>>();

  /** Takes a change in, in any order and any number of times. */
  apply(change: Change): void {
    if (!knownKinds.has(change.kind) && !change.critical) return;
    const byKey = this.#byKind.get(change.kind) ?? new Map<string, Change>();
    this.#byKind.set(change.kind, byKey);
    const known = byKey.get(change.key);
    if (known === undefined || known.sequence < change.sequence) byKey.set(change.key, change);
  }

  find(kind: ChangeKind, key: string): Change | undefined {
    return this.#byKind.get(kind)?.get(key);
  }

  /** A critical change of a kind this version does not know, if there is one. */
  findUnsupported(): Change | undefined {
    for (const [kind, byKey] of this.#byKind) {
      if (!knownKinds.has(kind)) return byKey.values().next().value;
    }
    return undefined;
  }

  /** Takes in every change of another table. */
  absorb(table: ChangeTable): void {
    for (const byKey of table.#byKind.values()) {
      for (const change of byKey.values()) this.apply(change);
    }
  }

  /** Drops the changes that expired before a moment (epoch seconds). */
  sweep(before: number): void {
    for (const [kind, byKey] of this.#byKind) {
      for (const { key, expiresAt } of byKey.values()) {
        if (expiresAt !== undefined && expiresAt < before) byKey.delete(key);
      }
      if (byKey.size === 0) this.#byKind.delete(kind);
    }
  }
}
