import { setImmediate } from 'node:timers/promises';
import { openToRead, type SqliteConnection } from './connection.ts';
import type { Statement, StatementResult } from './messages.ts';

/** How long a read may stop the process, in milliseconds: readers wait only while a file is opened or repaired. */
const patience = 20;

/** Reads what has been committed, in this thread: a message to another one takes longer than most reads. */
export class Reader {
  readonly #file: string;
  #connection: SqliteConnection | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  async read(statement: Statement): Promise<StatementResult> {
    // Whoever reads over and over leaves room for everything else that happens.
    await setImmediate();
    this.#connection ??= openToRead(this.#file, patience);
    return this.#connection.run(statement);
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}
