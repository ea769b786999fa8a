import {
  expiryOf,
  isAboutRoles,
  type Change,
  type ChangeBatch,
  type ChangeStore,
  type ExpiryCursor,
  type LogPosition,
  type NewChange,
  type Pruned,
} from '@sallyport/auth/store';
import { sorted, stretchAfter, type Head, type Run, type Tables } from './tables.ts';

/** Gives a change its place in the log: the last thing a transaction does. */
export function appendTo({ head, log }: Tables, entry: NewChange): void {
  const { kind, key, critical, acknowledge = false, data } = entry;
  head.sequence += 1;
  if (isAboutRoles(entry)) head.rightsSequence = head.sequence;
  const expiresAt = expiryOf(entry, head.tokenLifetime);
  const change = { sequence: head.sequence, kind, key, expiresAt, critical, acknowledge };
  log.set(head.sequence, data === undefined ? change : { ...change, data });
}

export class MapChanges implements ChangeStore {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  head(): Promise<number> {
    return this.#run(({ head }) => head.sequence);
  }

  tokenLifetime(): Promise<number> {
    return this.#run(({ head }) => head.tokenLifetime);
  }

  position(): Promise<LogPosition> {
    return this.#run(({ head }) => positionOf(head));
  }

  readSince(cursor: number, limit?: number): Promise<ChangeBatch> {
    return this.#run((tables) => {
      const position = positionOf(tables.head);
      return { ...position, changes: between(tables, cursor, position.head).slice(0, limit) };
    });
  }

  readBetween(after: number, upTo: number, limit: number): Promise<readonly Change[]> {
    return this.#run((tables) => between(tables, after, upTo).slice(0, limit));
  }

  readLasting(after: number, upTo: number, limit: number): Promise<readonly Change[]> {
    return this.#run((tables) =>
      between(tables, after, upTo)
        .filter(({ expiresAt }) => expiresAt === undefined)
        .slice(0, limit),
    );
  }

  readExpiring(after: ExpiryCursor, upTo: number, limit: number): Promise<readonly Change[]> {
    const isLater = ({ expiresAt = 0, sequence }: Change): boolean =>
      expiresAt > after.expiresAt || (expiresAt === after.expiresAt && sequence > after.sequence);
    return this.#run((tables) => {
      const expiring = between(tables, 0, upTo).filter(({ expiresAt }) => expiresAt !== undefined);
      // Sorting keeps the order of what expires at the same time.
      return sorted(expiring.filter(isLater), ({ expiresAt = 0 }) => expiresAt).slice(0, limit);
    });
  }

  find(kind: number, key: string): Promise<Change | undefined> {
    return this.#run((tables) =>
      between(tables, 0, tables.head.sequence).findLast((change) => change.kind === kind && change.key === key),
    );
  }

  time(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  prune(after: number, limit: number, before: Date): Promise<Pruned<number>> {
    return this.#run(({ log }) => {
      const { keys, next } = stretchAfter(log, after, limit);
      const isOver = (key: number): boolean =>
        (log.get(key)?.expiresAt ?? Infinity) < Math.floor(before.getTime() / 1000);
      const over = keys.filter(isOver);
      for (const key of over) log.delete(key);
      return { removed: over.length, next };
    });
  }
}

/** The entries after one place and up to another, in their order. */
function positionOf({ sequence: head, incarnation, tokenLifetime, credentialVersion }: Head): LogPosition {
  return { incarnation, head, tokenLifetime, credentialVersion };
}

function between({ log }: Tables, after: number, upTo: number): Change[] {
  return [...log.values()].filter(({ sequence }) => sequence > after && sequence <= upTo);
}
