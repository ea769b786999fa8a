import { HttpError } from './http-error.ts';

/**
 * Parses form data or a query string into an object.
 *
 * An empty value counts as absent; a repeated name, a broken percent-encoding and invalid UTF-8 are refused.
 *
 * @throws {HttpError} `body_malformed`
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-3.2 RFC 6749, section 3.2}
 * @see {@link https://url.spec.whatwg.org/#urlencoded-parsing URL, section 5.1}
 */
export function parseForm(text: string): Readonly<Record<string, string>> {
  const pairs = text
    .split('&')
    .filter((pair) => pair !== '')
    .map(parsePair);
  const names = pairs.map(([name]) => name);
  if (new Set(names).size < names.length) throw malformed('A field is repeated');
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''));
}

function parsePair(pair: string): [name: string, value: string] {
  const equals = pair.indexOf('=');
  const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
  return [decode(name), decode(value)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw malformed('A percent-encoding is broken', error);
  }
}

function malformed(reason: string, cause?: unknown): HttpError {
  return new HttpError('body_malformed', { reason }, { cause });
}
