import { isUtf8 } from 'node:buffer';
import { JwtError, type JsonRefusal } from './errors.ts';

/** A JSON object, as parsed. */
export type JsonObject = Record<string, unknown>;

/** What reading a JSON text comes to. */
export type JsonOutcome = { readonly value: unknown } | { readonly refusal: JsonRefusal };

const maximumDepth = 64;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Parses JSON that can be read in only one way.
 *
 * Refuses, beyond what `JSON.parse` does: duplicate members at any depth (also when one is written with escapes),
 * invalid UTF-8, lone surrogates, and nesting deeper than 64. A byte order mark is refused too.
 * Does **not** limit the length: do that before you call it. A member named `__proto__` becomes an own property.
 *
 * @example
 * import { parseStrictJson } from '@sallyport/jwt';
 *
 * const body = parseStrictJson('{"username":"ada"}');
 *
 * @throws {JwtError} `json_invalid`, with the reason in its details
 * @see {@link https://www.rfc-editor.org/rfc/rfc8259.html#section-4 RFC 8259, section 4}
 */
export function parseStrictJson(text: string | Uint8Array): unknown {
  const outcome = readStrictJson(text);
  if ('refusal' in outcome) throw new JwtError('json_invalid', { reason: outcome.refusal });
  return outcome.value;
}

/** The rule behind {@link parseStrictJson}: returns the refusal instead of throwing it. */
export function readStrictJson(source: string | Uint8Array): JsonOutcome {
  const text = typeof source === 'string' ? wellFormed(source) : decodeUtf8(source);
  if (text === undefined) return { refusal: 'encoding' };
  const members = countMembersWritten(text);
  if (members === undefined) return { refusal: 'depth' };
  const value = parseJson(text);
  if (value === undefined) return { refusal: 'syntax' };
  // JSON.parse keeps the last of several members with one name, so a duplicate shows as a missing member.
  if (countMembersKept(value) !== members) return { refusal: 'duplicate_member' };
  if (text.includes('\\u') && !isJsonValue(value)) return { refusal: 'encoding' };
  return { value };
}

/** Tells whether a parsed value is a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tells whether a value survives JSON unchanged: no undefined, NaN, Date, class instance, cycle or lone surrogate. */
export function isJsonValue(value: unknown, depth: number = maximumDepth): boolean {
  if (typeof value === 'string') return !loneSurrogate.test(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return typeof value === 'boolean';
  if (value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return [...value].every((item) => isJsonValue(item, depth - 1));
  return (
    isPlainObject(value) &&
    Object.entries(value).every(([name, item]) => isJsonValue(name) && isJsonValue(item, depth - 1))
  );
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function wellFormed(text: string): string | undefined {
  return loneSurrogate.test(text) ? undefined : text;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Counts the colons outside strings, which is one for each member; undefined when the nesting is too deep. */
function countMembersWritten(text: string): number | undefined {
  let members = 0;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case 0x22: // "
        index = endOfString(text, index);
        break;
      case 0x3a: // :
        members += 1;
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        if (depth > maximumDepth) return undefined;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
    }
  }
  return members;
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

/** A quote is escaped when the backslashes before it are odd in number. */
function isEscaped(text: string, quote: number): boolean {
  let start = quote;
  while (text.charCodeAt(start - 1) === 0x5c) start -= 1;
  return (quote - start) % 2 === 1;
}

function countMembersKept(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (!Array.isArray(value)) members = Object.keys(value).length;
  for (const item of Object.values(value)) members += countMembersKept(item);
  return members;
}
