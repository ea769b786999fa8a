import { open, readFile, rename, rm } from 'node:fs/promises';
import { FeedFault } from './fault.ts';

let opened = 0;

/** A snapshot kept on disk, so that a guard that starts need not wait for the issuer. */
export class SnapshotFile {
  readonly #path: string;
  /** Nobody else writes it, and the next process of this number clears it away. */
  readonly #draft: string;

  constructor(path: string) {
    opened += 1;
    this.#path = path;
    this.#draft = `${path}.${String(process.pid)}-${String(opened)}`;
  }

  /** What was kept, if anything. Whether it is genuine shows its proof. */
  async read(): Promise<Buffer | undefined> {
    try {
      return await readFile(this.#path);
    } catch (cause) {
      if (hasCode(cause, 'ENOENT')) return undefined;
      throw new FeedFault('lost', `${this.#path} cannot be read`, { cause });
    }
  }

  /** Keeps a snapshot: whole or not at all, and for this user's eyes only, since it holds the key of the hash. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      await rm(this.#draft, { force: true });
      const file = await open(this.#draft, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(this.#draft, this.#path);
    } catch (cause) {
      await rm(this.#draft, { force: true });
      throw new FeedFault('lost', `${this.#path} cannot be written`, { cause });
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
