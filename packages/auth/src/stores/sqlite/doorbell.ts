import { closeSync, constants, openSync, watch, write, type FSWatcher } from 'node:fs';
import { LocalWakeups, type Wakeups } from '../wakeups.ts';

/**
 * A file beside the database that every process touches after it has committed to the log, and that those who follow the
 * log watch. The database's own files will not do: they change before others can read what was written.
 *
 * Whoever cannot ring or hear it works on: the log is looked at now and then anyway.
 */
export class Doorbell implements Wakeups {
  readonly #file: string;
  readonly #local = new LocalWakeups();
  #watcher: FSWatcher | undefined;
  #descriptor: number | undefined;
  #isRinging = false;
  #isAskedAgain = false;
  #isClosed = false;

  constructor(file: string) {
    this.#file = file;
  }

  watch(wake: () => void): () => void {
    const stop = this.#local.watch(wake);
    this.#listen();
    return () => {
      stop();
      if (!this.#local.isWatched) this.#stopListening();
    };
  }

  announce(): void {
    this.#local.announce();
    this.#ring();
  }

  close(): void {
    this.#isClosed = true;
    this.#local.close();
    this.#stopListening();
    if (!this.#isRinging) this.#closeFile();
  }

  #listen(): void {
    if (this.#watcher !== undefined || this.#isClosed) return;
    try {
      this.#open();
      this.#watcher = watch(this.#file, { persistent: false }, () => this.#local.announce());
      this.#watcher.on('error', () => this.#stopListening());
    } catch {
      // No more files can be watched, or it cannot be made.
    }
  }

  #stopListening(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** Rings once more for those who ask while it rings. */
  #ring(): void {
    this.#isAskedAgain = true;
    if (this.#isRinging || this.#isClosed) return;
    this.#isAskedAgain = false;
    try {
      this.#isRinging = true;
      write(this.#open(), '.', 0, () => {
        this.#isRinging = false;
        if (this.#isClosed) this.#closeFile();
        else if (this.#isAskedAgain) this.#ring();
      });
    } catch {
      this.#isRinging = false;
    }
  }

  #open(): number {
    // Its owner's alone, like the database.
    this.#descriptor ??= openSync(this.#file, constants.O_WRONLY | constants.O_CREAT, 0o600);
    return this.#descriptor;
  }

  #closeFile(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
