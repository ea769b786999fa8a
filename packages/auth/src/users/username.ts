import { AuthError } from '../errors.ts';

const longestUsername = 64;
/** The longest text that is looked at, in UTF-16 units: each character of a name may be several. */
const longestText = 4 * longestUsername;
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
  if (text === '') refuse('it is empty');
  if (text.length > longestText) refuse(`use at most ${longestUsername} characters`);
  const shown = text.normalize('NFC');
  if ([...shown].length > longestUsername) refuse(`use at most ${longestUsername} characters`);
  if (!username.test(shown)) {
    refuse('use letters, digits and . _ @ + - only, and start with a letter or digit');
  }
  const folded = foldUsername(shown);
  if (uuid.test(folded)) refuse('it looks like a user id');
  return { shown, folded };
}

/** The form in which user names are compared; for look-ups, where a name that cannot exist is just not found. */
export function foldUsername(text: string): string {
  // Nobody has a name that long, and normalizing takes a time that grows with its square.
  if (text.length > longestText) return text;
  return text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFC');
}

function refuse(reason: string): never {
  throw new AuthError('value_invalid', 'user name refused', { field: 'username', reason });
}
