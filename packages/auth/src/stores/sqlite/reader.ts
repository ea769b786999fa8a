import { openToRead, type SqliteConnection } from './connection.ts';
import type { Statement, StatementResult } from './messages.ts';

/** How long a read may stop the process, in milliseconds: readers wait only while a file is opened or repaired. */
const patience = 20;

interface Waiting {
  readonly statement: Statement;
  readonly resolve: (result: StatementResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads what has been committed, in this thread: a message to another one takes longer than most reads. */
export class Reader {
  readonly #file: string;
  #connection: SqliteConnection | undefined;
  #waiting: Waiting[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads when everything else that is due has had its turn, so that whoever reads over and over stops nobody. */
  read(statement: Statement): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statement, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#readAll());
    });
  }

  /** Reads what was asked for before, then closes: read later, it would open the file once more. */
  close(): void {
    this.#readAll();
    this.#connection?.close();
    this.#connection = undefined;
  }

  #readAll(): void {
    const due = this.#waiting;
    this.#waiting = [];
    for (const { statement, resolve, reject } of due) {
      try {
        this.#connection ??= openToRead(this.#file, patience);
        resolve(this.#connection.run(statement));
      } catch (error) {
        reject(error);
      }
    }
  }
}
