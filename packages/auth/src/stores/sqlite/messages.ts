/** What a statement may carry. */
export type Parameter = string | number | bigint | null | Uint8Array;

export interface Query {
  readonly sql: string;
  /** Whether it adds to the log, of which those who follow it must hear. Default: it does not. */
  readonly appends?: boolean;
}

export interface Statement {
  /** The same object for the same text: however often it stands in one message, it travels once. */
  readonly query: Query;
  readonly parameters: readonly Parameter[];
}

/** A statement that carries nothing. */
export const plain = (sql: string): Statement => ({ query: { sql }, parameters: [] });

/** What a statement did. Rows are lists of values: they travel several times as fast as objects. */
export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** How many rows a statement without `returning` wrote. */
  readonly changes?: number;
}

export const nothing: StatementResult = { columns: [], rows: [] };

/** Statements that do not depend on each other's results. All of them happen or none, and what the first did is told. */
export type Statements = readonly [Statement, ...Statement[]];

/** One step of a unit of work: `begin`, any number of `statements`, `commit` or `rollback`. */
export type Step =
  | { readonly kind: 'begin' | 'commit' | 'rollback'; readonly unit: number }
  | { readonly kind: 'statements'; readonly unit: number; readonly statements: Statements }
  /** A unit of this step alone. */
  | { readonly kind: 'only'; readonly statements: Statements }
  /** Everything asked for before is done first. */
  | { readonly kind: 'close' };

/** A step as it travels to the thread that writes. */
export interface Request {
  readonly id: number;
  readonly step: Step;
}

/** A result, or what went wrong. */
export type Outcome = StatementResult | FailureReport;

/** What travels back. */
export interface Answer {
  readonly id: number;
  readonly result: Outcome;
}

/** What is kept of an error on its way between threads: SQLite's result code tells what it means. */
export interface FailureReport {
  readonly failed: string;
  readonly errcode: number | undefined;
}

/** SQLite's result code for work that was undone: by another statement, or with the thread that did it. */
const abort = 4;

export const undone = (reason: string): FailureReport => ({ failed: reason, errcode: abort });

/** Prepares an error for its way to another thread. */
export function reportOf(error: unknown): FailureReport {
  if (!(error instanceof Error)) return { failed: String(error), errcode: undefined };
  const errcode = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
  return { failed: error.message, errcode };
}

/** What went wrong in SQLite, wherever it ran. */
export class SqliteFailure extends Error {
  override readonly name = 'SqliteFailure';
  /** SQLite's extended result code. */
  readonly errcode: number | undefined;

  constructor({ failed, errcode }: FailureReport) {
    super(failed);
    this.errcode = errcode;
  }
}
