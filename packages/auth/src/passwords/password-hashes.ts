import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import type { Random } from '../ports.ts';
import { PasswordQueue } from './password-queue.ts';

/** OWASP's minimum for Argon2id: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const encodedParameters = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/;

/** The longest password that is looked at, in code points. Longer ones are wrong without being hashed whole. */
export const longestPassword = 1024;

/** Hashes passwords and checks them, off the event loop and a bounded number at a time. */
export class PasswordHashes {
  /** One thread of the pool, which has four by default, stays free for files and DNS. */
  readonly #queue = new PasswordQueue(Math.min(availableParallelism(), 3));
  readonly #decoy: string;

  private constructor(decoy: string) {
    this.#decoy = decoy;
  }

  static async create(random: Random): Promise<PasswordHashes> {
    return new PasswordHashes(await hash(random.bytes(32), parameters));
  }

  /** An Argon2id hash in PHC form. */
  hash(password: string): Promise<string> {
    return this.#queue.run(() => hash(normalizePassword(password), parameters));
  }

  /**
   * Whether the password is the one behind the hash. Without a hash (nobody has that name) it takes the same time and
   * says no, so that the answer's timing does not tell which users exist.
   */
  async verify(password: string, hashed: string | undefined): Promise<boolean> {
    const tooLong = isTooLong(password);
    const matches = await this.#queue.run(() =>
      verify(hashed ?? this.#decoy, tooLong ? '' : normalizePassword(password)),
    );
    return matches && hashed !== undefined && !tooLong;
  }

  /** Whether a hash is weaker than those made today. */
  isOutdated(hashed: string): boolean {
    const [, memory, time, lanes] = encodedParameters.exec(hashed) ?? [];
    return (
      Number(memory ?? 0) < parameters.memoryCost ||
      Number(time ?? 0) < parameters.timeCost ||
      Number(lanes ?? 0) < parameters.parallelism
    );
  }
}

/** Whether a password is longer than any that is accepted, told without normalizing it: that takes long for long text. */
export function isTooLong(password: string): boolean {
  return password.length > 4 * longestPassword || [...password].length > longestPassword;
}

/**
 * The one form of a password: NFC, every space an ASCII space, so that it does not matter which keyboard typed it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8265.html#section-4.2 RFC 8265, section 4.2 (OpaqueString)}
 */
export function normalizePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}
