import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedFault } from '../../../src/replica/feed/fault.ts';
import {
  parseMessage,
  readBye,
  readEcho,
  readEntry,
  readGreeting,
  readPollAnswer,
} from '../../../src/replica/feed/messages.ts';

const hello = { v: 1, min: 1, inc: 'a1', head: 7, hash_key: '00112233445566FF', token_lifetime: 900, node: 'x' };
const entry = [7, 1, 'session-1', 1_800_000_000, 3];

describe('messages of the feed', () => {
  it('are read into the words of the guard', () => {
    expect(readGreeting(hello)).toEqual({
      version: 1,
      lowestVersion: 1,
      incarnation: 'a1',
      head: 7,
      hashKey: '00112233445566ff',
    });
    expect(readEntry(entry)).toEqual({
      sequence: 7,
      kind: 1,
      key: 'session-1',
      expiresAt: 1_800_000_000,
      critical: true,
      acknowledge: true,
    });
    expect(readEntry([1, 7, 'user', 0, 1, null])).toMatchObject({
      expiresAt: undefined,
      acknowledge: false,
      data: null,
    });
    expect(readEcho({ n: 1, head: 7, age: 0.5 })).toEqual({ number: 1, head: 7, age: 0.5 });
    expect(readPollAnswer({ ...hello, age: 1, resync: false, entries: [entry] })).toMatchObject({
      age: 1,
      resync: false,
      entries: [{ sequence: 7 }],
    });
    expect([readBye({ retry: 250 }), readBye({}), readBye({ retry: -1 })]).toEqual([250, 0, 0]);
  });

  it('may have members, items and flags of a later version', () => {
    expect(readGreeting({ ...hello, extra: {} })).toMatchObject({ head: 7 });
    expect(readEntry([...entry, null, 'more'])).toMatchObject({ sequence: 7 });
    expect(readEntry([1, 77, '', 0, 12])).toMatchObject({ critical: false, acknowledge: false });
  });

  it.each([
    ['no object', 7],
    ['a list', []],
    ['no version', { ...hello, v: undefined }],
    ['a version that is text', { ...hello, v: '1' }],
    ['a negative head', { ...hello, head: -1 }],
    ['a head beyond what is exact', { ...hello, head: 2 ** 53 }],
    ['a head that is no whole number', { ...hello, head: 1.5 }],
    ['an incarnation that is empty', { ...hello, inc: '' }],
    ['an incarnation with a space', { ...hello, inc: 'a b' }],
    ['a key of the hash that is too short', { ...hello, hash_key: '0011' }],
  ])('are refused with %s', (_, message) => {
    expect(() => readGreeting(message)).toThrow(FeedFault);
  });

  it.each([
    ['no list', {}],
    ['too few items', [1, 1, 'a', 0]],
    ['a sequence that is text', ['1', 1, 'a', 0, 0]],
    ['a kind that is none', [1, null, 'a', 0, 0]],
    ['a key that is no text', [1, 1, 7, 0, 0]],
    ['an expiry that is none', [1, 1, 'a', -1, 0]],
    ['flags that are none', [1, 1, 'a', 0, true]],
  ])('are refused as entries with %s', (_, message) => {
    expect(() => readEntry(message)).toThrow(FeedFault);
  });

  it('are refused as echoes without an age that can be', () => {
    for (const age of [undefined, -1, '1', null, Number.NaN]) {
      expect(() => readEcho({ n: 1, head: 1, age })).toThrow(FeedFault);
    }
  });

  it('never break anything but the connection, whatever they are', () => {
    const readers = [readGreeting, readEntry, readEcho, readPollAnswer, readBye];
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...readers), (message, read) => {
        try {
          read(message);
        } catch (error) {
          expect(error).toBeInstanceOf(FeedFault);
        }
      }),
    );
    expect(() => parseMessage('{')).toThrow(FeedFault);
  });
});
