import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { openToWrite } from './connection.ts';
import { GroupCommit } from './group-commit.ts';
import { SqliteFailure, undone, type Answer, type FailureReport, type Request } from './messages.ts';
import type { StatementResult, Step } from './messages.ts';

/** Does units of work, a step at a time. */
export interface Writer {
  /** Resolves when a step is done; for the last one of a unit, when the unit is durable. */
  do(step: Step): Promise<StatementResult>;
  /** Resolves when everything that was asked for before has been done. */
  close(): Promise<void>;
}

/** What the thread that writes must know. */
export interface WorkerSettings {
  readonly file: string;
  /** How long it waits for other processes, in milliseconds. */
  readonly patience: number;
  /** The file by which those who follow the log are woken: see doorbell.ts. */
  readonly doorbell: string;
}

/** How many requests travel together at most: the thread begins with these while others are still being made. */
const largestBatch = 16;

/** The compiled file, also when this one runs as TypeScript: threads of Node 20 cannot read that. */
const workerFile = '#sqlite-worker';

/** Writes to a file in a thread of its own, so that the disk makes nobody wait who does not write. */
export function threadWriter(settings: WorkerSettings): Writer {
  let thread: Worker | undefined;
  const requests = new Requests((batch) => {
    thread ??= start();
    thread.ref();
    thread.postMessage(batch);
  });
  const start = (): Worker => {
    const worker = new Worker(createRequire(import.meta.url).resolve(workerFile), {
      workerData: settings,
      execArgv: [],
    });
    let reason = '';
    worker.on('message', (answers: readonly Answer[]) => {
      requests.settle(answers);
      // A process that waits for nothing else may end.
      if (requests.areSettled) worker.unref();
    });
    worker.on('error', (error) => {
      reason = `: ${error instanceof Error ? error.message : String(error)}`;
    });
    worker.on('exit', () => {
      // The next request starts a new one.
      thread = undefined;
      requests.abandon(undone(`the thread that writes has ended${reason}`));
    });
    return worker;
  };
  return {
    do: (step) => requests.add(step),
    close: async () => {
      if (thread === undefined && requests.areSettled) return;
      await requests.add({ kind: 'close' });
      await thread?.terminate();
    },
  };
}

/** Writes to a database in memory, where there is no disk to wait for. */
export function memoryWriter(): Writer {
  const work = new GroupCommit(
    () => openToWrite(':memory:', 0),
    (answers) => requests.settle(answers),
  );
  const requests = new Requests((batch) => work.take(batch));
  return {
    do: (step) => requests.add(step),
    close: async () => {
      await requests.add({ kind: 'close' });
    },
  };
}

interface Waiting {
  readonly resolve: (result: StatementResult) => void;
  readonly reject: (error: Error) => void;
}

/** Hands requests over, all of one moment at once, and each answer to whoever waits for it. */
class Requests {
  readonly #send: (batch: readonly Request[]) => void;
  readonly #waiting = new Map<number, Waiting>();
  #batch: Request[] = [];
  #lastId = 0;

  constructor(send: (batch: readonly Request[]) => void) {
    this.#send = send;
  }

  get areSettled(): boolean {
    return this.#waiting.size === 0;
  }

  add(step: Step): Promise<StatementResult> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#batch.push({ id, step });
      if (this.#batch.length === largestBatch) this.#flush();
      // Not before everything has run that can run now: what it asks for goes along.
      else if (this.#batch.length === 1) process.nextTick(() => this.#flush());
    });
  }

  settle(answers: readonly Answer[]): void {
    for (const { id, result } of answers) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if ('failed' in result) waiting?.reject(new SqliteFailure(result));
      else waiting?.resolve(result);
    }
  }

  /** Nobody will answer any more. */
  abandon(report: FailureReport): void {
    this.#batch = [];
    this.settle([...this.#waiting.keys()].map((id) => ({ id, result: report })));
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0) this.#send(batch);
  }
}
