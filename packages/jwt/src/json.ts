import { isUtf8 } from 'node:buffer';
import { JwtError, type JsonRefusal } from './errors.ts';

/** A JSON object, as parsed. */
export type JsonObject = Record<string, unknown>;

/** What reading a JSON text comes to. */
export type JsonOutcome = { readonly value: unknown } | { readonly refusal: JsonRefusal };

const maximumDepth = 64;
const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;
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
  return text === undefined ? { refusal: 'encoding' } : readJsonText(text);
}

/** The same for a text that is known to be well-formed Unicode. */
export function readJsonText(text: string): JsonOutcome {
  if (mayBeDeep(text) && survey(text).depth > maximumDepth) return { refusal: 'depth' };
  const value = parseJson(text);
  if (value === undefined) return { refusal: 'syntax' };
  // JSON.parse keeps the last of several members with one name, so a duplicate shows as a missing member. The colons
  // are counted quickly and never too few; only when they seem too many are the strings skipped to count exactly.
  const members = countMembers(value);
  if (countColons(text) !== members && survey(text).members !== members) return { refusal: 'duplicate_member' };
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

/** Whether so many lists and objects begin that they could be nested too deep. */
function mayBeDeep(text: string): boolean {
  let openings = 0;
  for (const opening of ['{', '[']) {
    let index = text.indexOf(opening);
    for (; index !== -1 && openings <= maximumDepth; index = text.indexOf(opening, index + 1)) openings += 1;
  }
  return openings > maximumDepth;
}

/** Counts the colons that can follow a member's name: those behind a quote or white space, in strings or not. */
function countColons(text: string): number {
  let colons = 0;
  for (let index = text.indexOf(':'); index !== -1; index = text.indexOf(':', index + 1)) {
    const before = text.charCodeAt(index - 1);
    if (before === quote || before <= space) colons += 1;
  }
  return colons;
}

/** Goes through a text outside its strings: how many members are written, how deep it is nested. */
function survey(text: string): { readonly members: number; readonly depth: number } {
  let [members, depth, open] = [0, 0, 0];
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '"') index = endOfString(text, index);
    else if (character === ':') members += 1;
    else if (character === '{' || character === '[') depth = Math.max(depth, (open += 1));
    else if (character === '}' || character === ']') open -= 1;
  }
  return { members, depth };
}

function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && text.charCodeAt(end) !== quote) end += text.charCodeAt(end) === backslash ? 2 : 1;
  return end;
}

/**
 * Counts the members of a parsed value, at any depth. Every token passes here, so no list of names is made; members that
 * somebody added to all objects count as duplicates, which refuses too much and never too little.
 */
function countMembers(value: unknown): number {
  if (!isJsonObject(value)) return Array.isArray(value) ? sum(value.map(countMembers)) : 0;
  let members = 0;
  for (const name in value) {
    const item = value[name];
    members += typeof item === 'object' ? 1 + countMembers(item) : 1;
  }
  return members;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Freezes JSON data at any depth; what is no plain object or list stays as it is. */
export function freezeJson<Value>(value: Value): Value {
  const isPlain = Array.isArray(value) || (typeof value === 'object' && value !== null && isPlainObject(value));
  if (!isPlain || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) freezeJson(item);
  return Object.freeze(value);
}
