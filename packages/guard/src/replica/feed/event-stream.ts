import { FeedFault } from './fault.ts';

/** One event of a stream of server-sent events. Ids are left unread: what counts stands in the data. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Far more than the longest honest event: an entry with the roles of a user. */
const longestEvent = 1_048_576;

/**
 * Takes a stream of server-sent events apart as its bytes arrive.
 *
 * Stricter than a browser: bytes that are no UTF-8 and endless events are faults.
 *
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation HTML, 9.2.6}
 */
export class EventStream {
  readonly #onEvent: (event: StreamEvent) => void;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #rest = '';
  #name = '';
  #data: string[] = [];
  #length = 0;

  constructor(onEvent: (event: StreamEvent) => void) {
    this.#onEvent = onEvent;
  }

  /**
   * Takes in the next bytes and hands out the events they complete.
   *
   * @throws {FeedFault} `malformed`; and what the receiver of an event throws.
   */
  push(bytes: Uint8Array): void {
    const text = this.#rest + this.#decode(bytes);
    // Behind a carriage return at the end there may follow a line feed that belongs to it.
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + text.slice(end);
    for (const line of lines) this.#takeLine(line);
    if (this.#length + this.#rest.length > longestEvent) throw new FeedFault('malformed', 'An event has no end');
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw new FeedFault('malformed', 'The stream is not UTF-8', { cause });
    }
  }

  #takeLine(line: string): void {
    if (line === '') {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#name = value;
    if (field !== 'data') return;
    this.#data.push(value);
    this.#length += value.length;
    if (this.#length > longestEvent) throw new FeedFault('malformed', 'An event has no end');
  }

  #dispatch(): void {
    const event = { name: this.#name === '' ? 'message' : this.#name, data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    [this.#name, this.#data, this.#length] = ['', [], 0];
    if (!isEmpty) this.#onEvent(event);
  }
}
