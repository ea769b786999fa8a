import { AuthError } from '../errors.ts';
import { isTooLong, longestPassword, normalizePassword } from './password-hashes.ts';
import type { estimateStrength } from './password-strength.ts';

/** The score of zxcvbn from which a password is accepted: more than ten to the eighth guesses. */
const lowestScore = 3;
/** How much of a password is scored: hostile text costs more than its length. */
const longestScored = 64;

/**
 * Refuses passwords that would be guessed: too short, or found by the patterns and word lists of zxcvbn, which knows
 * the user's own name, address and this product as words.
 *
 * Asks for no digits or capitals: such rules make passwords worse (NIST SP 800-63B-4, section 3.1.1.2).
 */
export class PasswordPolicy {
  readonly #minLength: number;
  readonly #context: readonly string[];

  /** @param minLength in code points; `context`: words of this installation that nobody should use */
  constructor(minLength: number, context: readonly string[]) {
    this.#minLength = minLength;
    this.#context = context;
  }

  /** @throws {AuthError} `password_refused` with the reason */
  async validate(password: string, personal: readonly (string | undefined)[]): Promise<void> {
    if (isTooLong(password)) refuse(`use at most ${longestPassword} characters`);
    const normalized = normalizePassword(password);
    if ([...normalized].length < this.#minLength) refuse(`use at least ${this.#minLength} characters`);
    if (/\p{Cc}/u.test(normalized)) refuse('control characters cannot be typed everywhere: leave them out');
    if (/\p{Cs}/u.test(normalized)) refuse('it is not valid Unicode');

    const words = [...this.#context, ...personal].flatMap(wordsOf);
    if (words.includes(normalized.toLowerCase()))
      refuse('it is your own name, your address or the name of this service');
    const { score, warning } = (await estimating())(normalized.slice(0, longestScored), words);
    if (score < lowestScore) refuse(warning ?? 'it is too easy to guess: use a longer one, or several unusual words');
  }

  /** Loads the word lists, which takes a moment and some memory, so that the first user does not wait. */
  async prepare(): Promise<void> {
    await estimating();
  }
}

/** The word lists are loaded when they are first needed, once for all engines of the process. */
async function estimating(): Promise<typeof estimateStrength> {
  const strength = await import('./password-strength.ts');
  return strength.estimateStrength;
}

function refuse(reason: string): never {
  throw new AuthError('password_refused', 'password refused', { reason });
}

/** A name or address and its parts: whoever guesses a password tries all of them. */
function wordsOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  const lower = text.toLowerCase();
  return [lower, ...lower.split(/[^\p{L}\p{N}]+/u).filter((part) => part.length > 2)];
}
