import { AuthError } from '../errors.ts';
import { foldUsername, type Folded } from './username.ts';

/** OpenID Connect bounds `sub` like this; the rest keeps it harmless in logs, paths and command lines. */
const subject = /^[\x21-\x7E]{1,255}$/;

/** Reads the id by which an application knows one of its own users. @throws {AuthError} `value_invalid` */
export function readSubject(text: string): string {
  if (typeof text !== 'string') throw subjectRefused('it is not text: write numbers as text');
  if (!subject.test(text)) throw subjectRefused('use 1 to 255 letters, digits and signs of ASCII, without spaces');
  return text;
}

/** The refusal of a subject, with what is wrong about it. */
export function subjectRefused(reason: string): AuthError {
  return new AuthError('value_invalid', 'subject refused', { field: 'subject', reason });
}

/**
 * The user name of an account that an application vouches for: shown it is the id. Compared, it begins with a character
 * that no chosen name begins with, so that nobody can register it; the id as it is keeps `Ada` and `ada` apart.
 */
export function nameOfSubject(id: string): Folded {
  return { shown: id, folded: `:${foldUsername(id)}:${id}` };
}
