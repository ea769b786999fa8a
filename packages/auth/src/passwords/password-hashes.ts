import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import type { Random } from '../ports.ts';
import { passwordCost } from './password-cost.ts';
import { PasswordQueue } from './password-queue.ts';

const encodedParameters = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/;

/** The longest password that is looked at, in code points. Longer ones are wrong without being hashed whole. */
export const longestPassword = 1024;

/** Hashes passwords and checks them, off the event loop and a bounded number at a time. */
export class PasswordHashes {
  /** One thread of the pool, which has four by default, stays free for files and DNS. */
  readonly #queue = new PasswordQueue(Math.min(availableParallelism(), 3));
  readonly #decoy: string;

  constructor(random: Random) {
    this.#decoy = hashOfNothing(random);
  }

  /** An Argon2id hash in PHC form. */
  hash(password: string): Promise<string> {
    return this.#queue.run(() => hash(normalizePassword(password), passwordCost));
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
      Number(memory ?? 0) < passwordCost.memoryCost ||
      Number(time ?? 0) < passwordCost.timeCost ||
      Number(lanes ?? 0) < passwordCost.parallelism
    );
  }
}

/** What a hash looks like that no password has: salt and tag are random, and checking a password against it costs as much. */
function hashOfNothing(random: Random): string {
  const { memoryCost, timeCost, parallelism } = passwordCost;
  const unpadded = (size: number): string => random.bytes(size).toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${unpadded(16)}$${unpadded(32)}`;
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
