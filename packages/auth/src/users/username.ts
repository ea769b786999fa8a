import { AuthError } from '../errors.ts';

const longestUsername = 64;
const username = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]*$/u;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A value as its owner wrote it and as it is compared. */
export interface Folded {
  readonly shown: string;
  readonly folded: string;
}

/**
 * Reads a user name. Two names that differ in case or in the width of their letters are one.
 *
 * @throws {AuthError} `value_invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc8265.html#section-3.3 RFC 8265, section 3.3}
 */
export function readUsername(text: string): Folded {
  const shown = text.normalize('NFC');
  if (shown === '') refuse('it is empty');
  if ([...shown].length > longestUsername) refuse(`use at most ${longestUsername} characters`);
  if (!username.test(shown)) {
    refuse('use letters, digits and . _ @ + - only, and start with a letter or digit');
  }
  if (uuid.test(shown)) refuse('it looks like a user id');
  return { shown, folded: foldUsername(shown) };
}

/** The form in which user names are compared; for look-ups, where a name that cannot exist is just not found. */
export function foldUsername(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFC');
}

function refuse(reason: string): never {
  throw new AuthError('value_invalid', 'user name refused', { field: 'username', reason });
}
