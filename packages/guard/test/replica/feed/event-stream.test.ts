import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStream, type StreamEvent } from '../../../src/replica/feed/event-stream.ts';
import { FeedFault } from '../../../src/replica/feed/fault.ts';

/** The events of a text, whose bytes arrive in pieces of so many bytes. */
function eventsOf(text: string | Uint8Array, piece = 1_000_000): StreamEvent[] {
  const events: StreamEvent[] = [];
  const stream = new EventStream((event) => events.push(event));
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length; offset += piece) stream.push(bytes.subarray(offset, offset + piece));
  return events;
}

describe('an event stream', () => {
  it.each([
    ['an event', 'event: c\nid: a.1\ndata: [1]\n\n', [{ name: 'c', data: '[1]' }]],
    [
      'two events',
      'event: a\ndata: 1\n\nevent: b\ndata: 2\n\n',
      [
        { name: 'a', data: '1' },
        { name: 'b', data: '2' },
      ],
    ],
    ['an event without a name', 'data: 1\n\n', [{ name: 'message', data: '1' }]],
    ['several lines of data', 'data: 1\ndata\ndata: 2\n\n', [{ name: 'message', data: '1\n\n2' }]],
    ['only the first space left out', 'data:  1 \n\n', [{ name: 'message', data: ' 1 ' }]],
    ['no space', 'event:c\ndata:1\n\n', [{ name: 'c', data: '1' }]],
    ['colons in data', 'data: {"a":"b:c"}\n\n', [{ name: 'message', data: '{"a":"b:c"}' }]],
    ['line ends of Windows', 'event: c\r\ndata: 1\r\n\r\n', [{ name: 'c', data: '1' }]],
    [
      'carriage returns',
      'event: c\rdata: 1\r\rdata: 2\r\r:',
      [
        { name: 'c', data: '1' },
        { name: 'message', data: '2' },
      ],
    ],
    ['comments', ': hello\n\n:\n\nevent: c\n: between\ndata: 1\n\n', [{ name: 'c', data: '1' }]],
    ['fields it does not know', 'retry: 5\nfoo: bar\ndata: 1\n\n', [{ name: 'message', data: '1' }]],
    ['a byte order mark', '\uFEFFdata: 1\n\n', [{ name: 'message', data: '1' }]],
    ['no event without data', 'event: c\n\ndata: 1\n\n', [{ name: 'message', data: '1' }]],
    ['no event that is not complete', 'event: c\ndata: 1\n', []],
  ])('reads %s', (_, text, events) => {
    expect(eventsOf(text)).toEqual(events);
    expect(eventsOf(text, 1)).toEqual(events);
  });

  it('does not care where the bytes are cut', () => {
    const line = fc.oneof(
      fc.constantFrom('event: c', 'data: ü€😀', 'data', ': x', '', ''),
      fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n\0]/g, '')),
    );
    const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r'))).map((lines) => lines.flat().join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), (written, piece) => {
        // A carriage return at the very end may be half of a line end.
        const whole = `${written}\n:`;
        expect(eventsOf(whole, piece)).toEqual(eventsOf(whole));
      }),
    );
  });

  it.each([
    ['a line without end', 'x'.repeat(1_100_000)],
    ['data without end', 'data: 12345678\n'.repeat(140_000)],
  ])('refuses %s', (_, text) => {
    expect(() => eventsOf(text, 65_536)).toThrow(FeedFault);
  });

  it('refuses what is not UTF-8', () => {
    expect(() => eventsOf(Buffer.from([0x64, 0xff, 0x0a]))).toThrow(FeedFault);
    expect(() => eventsOf(Buffer.from([0x64, 0xc3, 0x28, 0x0a]), 1)).toThrow(FeedFault);
  });
});
