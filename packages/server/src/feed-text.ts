import { type Change, type FeedEvent, type FeedHello, formatCursor, toFeedEntry } from '@sallyport/auth';

/** The version of the protocol (docs/feed-protocol.md), and the lowest one that is spoken besides. */
const VERSIONS = { v: 1, min: 1 } as const;

/** How many pieces are remembered, of what length at most: guards that are up to date are told the same short ones. */
const REMEMBERED = 8;
const LONGEST_REMEMBERED = 262_144;

/** What keeps a connection alive while there is nothing to say. */
const NOTHING = ':\n\n';

/** How a server introduces itself on the wire. */
export interface HelloBody {
  readonly v: number;
  readonly min: number;
  readonly inc: string;
  readonly head: number;
  readonly hash_key: string;
  readonly token_lifetime: number;
  readonly node: string;
}

/** Puts what a server says of itself into the form that guards read. */
export function showHello({ incarnation, head, hashKey, tokenLifetime, node }: FeedHello): HelloBody {
  return {
    ...VERSIONS,
    inc: incarnation,
    head,
    hash_key: Buffer.from(hashKey).toString('hex'),
    token_lifetime: tokenLifetime,
    node,
  };
}

/**
 * Writes what happens on streams as server-sent events. Entries are written once for all guards that get the same ones.
 *
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation HTML, section 9.2}
 */
export class FeedText {
  readonly #pieces = new Map<string, string>();

  write(events: readonly FeedEvent[]): Uint8Array {
    return Buffer.from(events.map((event) => this.#writeEvent(event)).join('') || NOTHING);
  }

  #writeEvent(event: FeedEvent): string {
    switch (event.type) {
      case 'hello':
        return writeEvent('hello', showHello(event.hello));
      case 'entries':
        return this.#writeEntries(event.incarnation, event.entries);
      case 'echo':
        return writeEvent('echo', { n: event.n, head: event.head, age: event.age });
      case 'resync':
        return writeEvent('resync', {});
      case 'bye':
        return writeEvent('bye', { retry: event.retry });
    }
  }

  #writeEntries(incarnation: string, entries: readonly Change[]): string {
    const range = `${incarnation} ${String(entries[0]?.sequence)} ${String(entries.length)}`;
    const known = this.#pieces.get(range);
    if (known !== undefined) return known;
    const text = entries
      .map((entry) => {
        const id = formatCursor({ incarnation, sequence: entry.sequence });
        return `id: ${id}\n${writeEvent('c', toFeedEntry(entry))}`;
      })
      .join('');
    if (text.length <= LONGEST_REMEMBERED) this.#remember(range, text);
    return text;
  }

  #remember(range: string, text: string): void {
    const [oldest] = this.#pieces.keys();
    if (oldest !== undefined && this.#pieces.size >= REMEMBERED) this.#pieces.delete(oldest);
    this.#pieces.set(range, text);
  }
}

/** JSON holds no line breaks, so that one line of data is enough. */
function writeEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
