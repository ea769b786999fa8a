import type { SqliteConnection } from './connection.ts';
import {
  nothing,
  plain,
  reportOf,
  undone,
  type Answer,
  type FailureReport,
  type Outcome,
  type Request,
  type Step,
} from './messages.ts';
import type { StatementResult, Statements } from './messages.ts';

/** How many units share one commit at most, and how long the first may wait for the others, in milliseconds. */
const mostUnits = 512;
const longestGroup = 5;

// They may stand in each other: each name means the innermost.
const setSavepoint = plain('savepoint unit');
const release = plain('release unit');
const undo = plain('rollback to unit');

/** Steps that stand together: all of them happen or none. */
interface Unit {
  /** Absent when it is one step. */
  readonly id?: number;
  /** What has been asked for and not been done yet. */
  readonly requests: Request[];
}

/** The units of one transaction. Nobody hears that a unit has ended before its transaction is durable. */
interface Group {
  readonly connection: SqliteConnection;
  readonly startedAt: number;
  readonly answers: Answer[];
  /** Whether it adds to the log. */
  appends: boolean;
}

/**
 * Does units of work one after the other, and commits together those that waited at the same time: one write to the
 * disk makes all of them durable. Nothing waits for company: a group is what came while the one before was committed.
 * A unit that fails is undone alone.
 */
export class GroupCommit {
  readonly #open: () => SqliteConnection;
  readonly #answer: (answers: readonly Answer[]) => void;
  readonly #onGrowth: () => void;
  /** Those that have not begun. */
  readonly #waiting: Unit[] = [];
  /** Those of several steps that have not ended, by their ids. */
  readonly #units = new Map<number, Unit>();
  #connection: SqliteConnection | undefined;
  #group: Group | undefined;
  #current: Unit | undefined;
  #closing: Request | undefined;

  /** @param onGrowth is called when the log has grown, and others can see it */
  constructor(
    open: () => SqliteConnection,
    answer: (answers: readonly Answer[]) => void,
    onGrowth: () => void = (): void => undefined,
  ) {
    this.#open = open;
    this.#answer = answer;
    this.#onGrowth = onGrowth;
  }

  /** Does everything that can be done now. Only a unit that has begun and not ended makes others wait. */
  take(requests: readonly Request[]): void {
    for (const request of requests) this.#enqueue(request);
    for (;;) {
      this.#current ??= this.#waiting.shift();
      if (this.#current === undefined) break;
      if (!this.#proceed(this.#current)) return;
      this.#current = undefined;
      if (this.#isGroupComplete()) this.#commit();
    }
    if (this.#closing !== undefined) this.#close(this.#closing.id);
  }

  #enqueue(request: Request): void {
    const { id, step } = request;
    if (step.kind === 'close') {
      this.#closing = request;
    } else if (step.kind === 'only') {
      this.#waiting.push({ requests: [request] });
    } else if (step.kind === 'begin') {
      const unit = { id: step.unit, requests: [request] };
      this.#units.set(unit.id, unit);
      this.#waiting.push(unit);
    } else {
      const unit = this.#units.get(step.unit);
      if (unit === undefined) this.#answer([{ id, result: undone('the transaction has been undone') }]);
      else unit.requests.push(request);
    }
  }

  /** Does the steps of a unit that have been asked for; says whether it has ended. */
  #proceed(unit: Unit): boolean {
    for (let request = unit.requests.shift(); request !== undefined; request = unit.requests.shift()) {
      try {
        this.#group ??= this.#begin();
        const result = perform(this.#group.connection, request.step);
        this.#group.appends ||= hasAppended(request.step, result);
        const answer = { id: request.id, result };
        if (isEnd(request.step)) this.#group.answers.push(answer);
        else this.#answer([answer]);
      } catch (error) {
        // Where no transaction could begin, none of the others would fare better.
        const others = this.#group === undefined ? this.#waiting.splice(0) : [];
        this.#fail([{ ...unit, requests: [request, ...unit.requests] }, ...others], reportOf(error));
        return true;
      }
      if (isEnd(request.step)) {
        this.#forget(unit);
        return true;
      }
    }
    return false;
  }

  #begin(): Group {
    const connection = (this.#connection ??= this.#open());
    connection.begin();
    return { connection, startedAt: performance.now(), answers: [], appends: false };
  }

  #isGroupComplete(): boolean {
    if (this.#waiting.length === 0 || this.#group === undefined) return true;
    const { startedAt, answers } = this.#group;
    return answers.length >= mostUnits || performance.now() - startedAt >= longestGroup;
  }

  #commit(): void {
    if (this.#group === undefined) return;
    const { connection, answers, appends: hasGrown } = this.#group;
    try {
      connection.commit();
    } catch (error) {
      this.#fail([], reportOf(error));
      return;
    }
    this.#group = undefined;
    if (hasGrown) this.#onGrowth();
    this.#answer(answers);
  }

  /** Gives a transaction up: all of its units are undone, with those that could not be done. */
  #fail(units: readonly Unit[], report: FailureReport): void {
    const { connection, answers = [] } = this.#group ?? {};
    this.#group = undefined;
    // Some errors have made SQLite roll back by itself.
    if (connection?.isInTransaction === true) connection.rollback();
    for (const unit of units) this.#forget(unit);
    const requests = [...answers, ...units.flatMap((unit) => unit.requests)];
    this.#answer(requests.map(({ id }) => ({ id, result: report })));
  }

  #forget({ id }: Unit): void {
    if (id !== undefined) this.#units.delete(id);
  }

  #close(id: number): void {
    this.#closing = undefined;
    this.#connection?.close();
    this.#connection = undefined;
    this.#answer([{ id, result: nothing }]);
  }
}

function isEnd({ kind }: Step): boolean {
  return kind === 'only' || kind === 'commit' || kind === 'rollback';
}

/** By the first statement of a step, the one whose result is told. */
function hasAppended(step: Step, outcome: Outcome): boolean {
  if (!('statements' in step) || 'failed' in outcome || step.statements[0].query.appends !== true) return false;
  return outcome.rows.length > 0 || (outcome.changes ?? 0) > 0;
}

/** Does one step. What fails alone is reported; what is thrown has undone the whole transaction, or must. */
function perform(connection: SqliteConnection, step: Step): Outcome {
  switch (step.kind) {
    case 'begin':
      return connection.run(setSavepoint);
    case 'statements':
    case 'only':
      return attemptAll(connection, step.statements);
    case 'commit':
      return connection.run(release);
    case 'rollback':
      connection.run(undo);
      return connection.run(release);
    case 'close':
      return nothing;
  }
}

/** A single statement happens or not by itself. */
function attemptAll(connection: SqliteConnection, statements: Statements): Outcome {
  if (statements.length === 1) return attempt(connection, () => connection.run(statements[0]));
  connection.run(setSavepoint);
  const outcome = attempt(connection, () => {
    const [result] = statements.map((statement) => connection.run(statement));
    return result ?? nothing;
  });
  if ('failed' in outcome) connection.run(undo);
  connection.run(release);
  return outcome;
}

function attempt(connection: SqliteConnection, work: () => StatementResult): Outcome {
  try {
    return work();
  } catch (error) {
    if (!connection.isInTransaction) throw error;
    return reportOf(error);
  }
}
