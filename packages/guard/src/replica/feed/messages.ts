import type { Change } from '../change.ts';
import { FeedFault } from './fault.ts';

/** What a process says of itself and of the log, before anything else. */
export interface Greeting {
  /** The highest and the lowest version of the protocol it speaks. */
  readonly version: number;
  readonly lowestVersion: number;
  readonly incarnation: string;
  readonly head: number;
  /** The key of the hash of names, in hexadecimal digits. */
  readonly hashKey: string;
}

/** A change as it comes, and whether somebody waits to hear that it did. */
export interface FeedEntry extends Change {
  readonly acknowledge: boolean;
}

/** What answers a ping. */
export interface Echo {
  readonly number: number;
  readonly head: number;
  /** How long ago the process asked the database for its head, in milliseconds. */
  readonly age: number;
}

/** What answers a poll. */
export interface PollAnswer extends Greeting {
  readonly age: number;
  readonly resync: boolean;
  readonly entries: readonly FeedEntry[];
}

const flags = { critical: 1, acknowledge: 2 } as const;
const incarnationText = /^[\x21-\x7E]{1,128}$/;
const hashKeyText = /^[0-9a-f]{16}$/i;

type Members = Readonly<Record<string, unknown>>;

/**
 * Parses the JSON of a message.
 *
 * @throws {FeedFault} `malformed`
 */
export function parseMessage(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FeedFault('malformed', 'A message is no JSON', { cause });
  }
}

export function readGreeting(message: unknown): Greeting {
  const { v, min, inc, head, hash_key: hashKey } = membersOf(message);
  return {
    version: readCount('v', v),
    lowestVersion: readCount('min', min),
    incarnation: readText('inc', inc, incarnationText),
    head: readCount('head', head),
    hashKey: readText('hash_key', hashKey, hashKeyText).toLowerCase(),
  };
}

export function readEntry(message: unknown): FeedEntry {
  if (!Array.isArray(message) || message.length < 5) throw malformed('An entry is no list of five or more');
  const [sequence, kind, key, expiresAt, bits, data]: readonly unknown[] = message;
  if (typeof key !== 'string') throw malformed('The key of an entry is no text');
  const expiry = readCount('expires_at', expiresAt);
  const given = readCount('flags', bits);
  return {
    sequence: readCount('sequence', sequence),
    kind: readCount('kind', kind),
    key,
    expiresAt: expiry === 0 ? undefined : expiry,
    critical: (given & flags.critical) !== 0,
    acknowledge: (given & flags.acknowledge) !== 0,
    ...(data === undefined ? {} : { data }),
  };
}

export function readEntries(message: unknown): readonly FeedEntry[] {
  if (!Array.isArray(message)) throw malformed('The entries are no list');
  return message.map(readEntry);
}

export function readEcho(message: unknown): Echo {
  const { n, head, age } = membersOf(message);
  return { number: readCount('n', n), head: readCount('head', head), age: readAge(age) };
}

export function readPollAnswer(message: unknown): PollAnswer {
  const { age, resync, entries } = membersOf(message);
  return {
    ...readGreeting(message),
    age: readAge(age),
    resync: resync === true,
    entries: readEntries(entries),
  };
}

/** How long a process that stops asks to wait, in milliseconds. */
export function readBye(message: unknown): number {
  const { retry } = membersOf(message);
  return typeof retry === 'number' && retry > 0 ? retry : 0;
}

/** Milliseconds. A process whose clock made them negative does not know how old its knowledge is. */
function readAge(value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw malformed('age is no number of milliseconds');
}

export function membersOf(message: unknown): Members {
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) return message as Members;
  throw malformed('A message is no object');
}

export function readCount(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw malformed(`${name} is no whole number`);
}

function readText(name: string, value: unknown, form: RegExp): string {
  if (typeof value === 'string' && form.test(value)) return value;
  throw malformed(`${name} is not what it should be`);
}

function malformed(message: string): FeedFault {
  return new FeedFault('malformed', message);
}
