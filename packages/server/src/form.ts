import { HttpError } from './http-error.ts';

/** What is wrong when a form is: the body, or the query. */
type FormErrorCode = 'body_malformed' | 'query_invalid';

/**
 * Parses form data or a query string into an object.
 *
 * An empty value counts as absent; a repeated name, a broken percent-encoding and invalid UTF-8 are refused.
 *
 * @throws {HttpError} with the given code
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-3.2 RFC 6749, section 3.2}
 * @see {@link https://url.spec.whatwg.org/#urlencoded-parsing URL, section 5.1}
 */
export function parseForm(text: string, code: FormErrorCode): Readonly<Record<string, string>> {
  const pairs = text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => parsePair(pair, code));
  const names = pairs.map(([name]) => name);
  if (new Set(names).size < names.length) throw new HttpError(code, { reason: 'A field is repeated' });
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''));
}

function parsePair(pair: string, code: FormErrorCode): [name: string, value: string] {
  const equals = pair.indexOf('=');
  const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
  return [decode(name, code), decode(value, code)];
}

function decode(text: string, code: FormErrorCode): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw new HttpError(code, { reason: 'A percent-encoding is broken' }, { cause: error });
  }
}
