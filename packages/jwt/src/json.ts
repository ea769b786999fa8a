import { isUtf8 } from 'node:buffer';
import { JwtError, type JsonRefusal } from './errors.ts';

/** A JSON object, as parsed. */
export type JsonObject = Record<string, unknown>;

/** What reading a JSON text comes to. */
export type JsonOutcome = { readonly value: unknown } | { readonly refusal: JsonRefusal };

const maximumDepth = 64;
/** Longer than the parts of ordinary tokens. */
const longText = 8192;
const quote = 0x22;
const backslash = 0x5c;

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
  // What is nested deep takes JSON.parse time and memory, so a long text is looked through first.
  if (text.length > longText && countWrittenMembers(text) === undefined) return { refusal: 'depth' };
  const value = parseJson(text);
  if (value === undefined) return { refusal: 'syntax' };
  return text.length === shortestLength(value) && !haveAllMembers() ? { value } : readLongerText(text, value);
}

/** Looks for what {@link readJsonText} refuses in a text that is longer than its value needs. */
function readLongerText(text: string, value: unknown): JsonOutcome {
  const members = countWrittenMembers(text);
  if (members === undefined) return { refusal: 'depth' };
  // JSON.parse keeps the last of several members with one name, so a duplicate shows as a missing member.
  if (members !== countMembers(value)) return { refusal: 'duplicate_member' };
  if (text.includes('\\u') && !isWellFormed(value)) return { refusal: 'encoding' };
  return { value };
}

const empty = {};

/** Whether somebody added members to all objects: a length counts them, as if they stood in the text. */
function haveAllMembers(): boolean {
  let members = 0;
  for (const name in empty) members += name.length + 1;
  return members > 0;
}

/**
 * The length of the shortest JSON text for a value, NaN where finding it takes too long: for numbers that an exponent
 * or a fraction may shorten, and for deep nesting.
 *
 * A text of this length holds no member twice, since without it the text would still have this value, and be shorter;
 * nor white space, nor an escape. That is how tokens are written, and it is found out at a third of the cost of counting.
 */
export function shortestLength(value: unknown, depth: number = maximumDepth): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') return value % 1000 !== 0 && Number.isSafeInteger(value) ? String(value).length : NaN;
  if (typeof value !== 'object') return value === true ? 4 : 5;
  if (value === null) return 4;
  if (depth === 0) return NaN;
  // Each item has a comma behind it, but for the last one, so one bracket is counted here.
  let length = 1;
  if (Array.isArray(value)) for (const item of value) length += shortestLength(item, depth - 1) + 1;
  else for (const name in value) length += name.length + 4 + shortestLength(member(value, name), depth - 1);
  return Math.max(length, 2);
}

/** Tells whether a parsed value is a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tells whether a value survives JSON unchanged: no undefined, NaN, Date, class instance, cycle or lone surrogate. */
export function isJsonValue(value: unknown, depth: number = maximumDepth): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return typeof value === 'boolean';
  if (value === null) return true;
  if (depth === 0) return false;
  // It would have itself written as something else.
  if ('toJSON' in value && typeof value.toJSON === 'function') return false;
  if (Array.isArray(value)) return areJsonValues(value, depth);
  if (!isPlainObject(value)) return false;
  for (const name in value) {
    if (!name.isWellFormed() || !isJsonValue(member(value, name), depth - 1)) return false;
  }
  return true;
}

function areJsonValues(items: readonly unknown[], depth: number): boolean {
  // Not every(), which passes over holes.
  for (const item of items) if (!isJsonValue(item, depth - 1)) return false;
  return true;
}

function member(value: object, name: string): unknown {
  return (value as JsonObject)[name];
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Tells whether no text in a parsed value, names included, has a lone surrogate. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, item]) => name.isWellFormed() && isWellFormed(item));
}

function wellFormed(text: string): string | undefined {
  return text.isWellFormed() ? text : undefined;
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

/** How many members a text writes outside its strings; undefined as soon as it turns out to be nested too deep. */
function countWrittenMembers(text: string): number | undefined {
  let [members, depth] = [0, 0];
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '"') index = endOfString(text, index);
    else if (character === ':') members += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if ((character === '{' || character === '[') && (depth += 1) > maximumDepth) return undefined;
  }
  return members;
}

function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && text.charCodeAt(end) !== quote) end += text.charCodeAt(end) === backslash ? 2 : 1;
  return end;
}

/** Counts the members of a parsed value, at any depth; only those of its own. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const items: readonly unknown[] = Object.values(value);
  return items.reduce<number>((members, item) => members + countMembers(item), Array.isArray(value) ? 0 : items.length);
}

/** Freezes JSON data at any depth. Texts, numbers and the like are frozen already. */
export function freezeJson<Value>(value: Value): Value {
  if (Object.isFrozen(value)) return value;
  const items: readonly unknown[] = Object.values(value ?? {});
  for (const item of items) freezeJson(item);
  return Object.freeze(value);
}
