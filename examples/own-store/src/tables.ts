import type {
  Change,
  FeedCredentialRecord,
  NewUserRecord,
  PresentGuard,
  SessionRecord,
  SigningKeyRecord,
} from '@sallyport/auth/store';

/** A user as this store keeps it. */
export interface UserRow extends NewUserRecord {
  readonly disabledAt: Date | undefined;
  readonly epoch: number;
}

/** Everything there is. Plain values alone, so that a transaction can work on a copy. */
export interface Tables {
  readonly users: Map<string, UserRow>;
  readonly sessions: Map<string, SessionRecord>;
  /** Scopes by role. */
  readonly roles: Map<string, readonly string[]>;
  readonly keys: Map<string, SigningKeyRecord>;
  /** By their places. */
  readonly log: Map<number, Change>;
  readonly credentials: Map<string, FeedCredentialRecord>;
  readonly guards: Map<string, PresentGuard>;
  readonly head: Head;
}

/** What stands at the head of the log. */
export interface Head {
  incarnation: string;
  sequence: number;
  /** The last entry about roles. */
  rightsSequence: number;
  tokenLifetime: number;
  credentialVersion: number;
}

export function emptyTables(): Tables {
  return {
    users: new Map(),
    sessions: new Map(),
    roles: new Map(),
    keys: new Map(),
    log: new Map(),
    credentials: new Map(),
    guards: new Map(),
    head: { incarnation: 'first', sequence: 0, rightsSequence: 0, tokenLifetime: 0, credentialVersion: 0 },
  };
}

/** Works on all tables: on those of the transaction around it, or in a transaction of its own. */
export type Run = <Result>(work: (tables: Tables) => Result) => Promise<Result>;

/** Changes one row, if it is there and fits; says whether it was. */
export function change<Row>(
  table: Map<string, Row>,
  id: string,
  changes: Partial<Row>,
  fits: (row: Row) => boolean = () => true,
): boolean {
  const row = table.get(id);
  if (row === undefined || !fits(row)) return false;
  table.set(id, { ...row, ...changes });
  return true;
}

/** Rows in the order of what is read from them. */
export function sorted<Row>(rows: Iterable<Row>, by: (row: Row) => string | number): Row[] {
  return [...rows].toSorted((one, other) => compare(by(one), by(other)));
}

function compare<Value extends string | number>(one: Value, other: Value): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** One stretch of a table, by its keys. */
export function stretchAfter<Key extends string | number>(
  table: ReadonlyMap<Key, unknown>,
  after: Key,
  limit: number,
): { readonly keys: readonly Key[]; readonly next: Key | undefined } {
  const keys = sorted(table.keys(), (key) => key)
    .filter((key) => key > after)
    .slice(0, limit);
  return { keys, next: keys.length === limit ? keys.at(-1) : undefined };
}
