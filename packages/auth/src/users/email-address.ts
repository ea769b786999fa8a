import { domainToASCII } from 'node:url';
import { AuthError } from '../errors.ts';
import type { Folded } from './username.ts';

const longestAddress = 254;
const localPart = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const domainName = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * Reads one e-mail address. Quoted local parts, comments, lists and look-alikes of `@` are refused; whether mail
 * arrives there is not checked. Compared without regard to case.
 *
 * @throws {AuthError} `value_invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc5321.html#section-4.1.2 RFC 5321, section 4.1.2}
 */
export function readEmailAddress(text: string): Folded {
  if (text.length > longestAddress) refuse();
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = domainToASCII(text.slice(at + 1));
  const shown = `${local}@${domain}`;
  const refused =
    at < 1 || local.length > 64 || shown.length > longestAddress || !localPart.test(local) || !domainName.test(domain);
  if (refused) refuse();
  return { shown, folded: shown.toLowerCase() };
}

function refuse(): never {
  const reason = 'it is not one e-mail address such as ada@example.com';
  throw new AuthError('value_invalid', 'e-mail address refused', { field: 'email', reason });
}
