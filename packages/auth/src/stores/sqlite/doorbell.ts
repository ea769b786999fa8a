import { closeSync, constants, openSync, watch, writeSync, type FSWatcher } from 'node:fs';
import { LocalWakeups, type Wakeups } from '../wakeups.ts';

/**
 * A file beside the database that every process touches when it has committed to the log (see {@link ring}), and that those
 * who follow the log watch. The database's own files will not do: they change before others can read what was written.
 *
 * Whoever cannot ring or hear it works on: the log is looked at now and then anyway.
 */
export class Doorbell implements Wakeups {
  readonly #file: string;
  readonly #local = new LocalWakeups();
  #watcher: FSWatcher | undefined;
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

  /** For those in this process alone. */
  announce(): void {
    this.#local.announce();
  }

  close(): void {
    this.#isClosed = true;
    this.#local.close();
    this.#stopListening();
  }

  #listen(): void {
    if (this.#watcher !== undefined || this.#isClosed) return;
    try {
      closeSync(open(this.#file));
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
}

/** Wakes those who watch a doorbell. Waits for the file system: for threads that wait for it anyway. */
export function ring(file: string): void {
  try {
    const descriptor = open(file);
    try {
      writeSync(descriptor, '.', 0);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Nobody hears it.
  }
}

/** Its owner's alone, like the database. */
function open(file: string): number {
  return openSync(file, constants.O_WRONLY | constants.O_CREAT, 0o600);
}
