import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';

/** One server-sent event. */
export interface StreamEvent {
  readonly name: string;
  readonly id: string | undefined;
  /** The parsed data; tests look into it freely. */
  readonly data: unknown;
}

/** How long a test waits for what must come, in milliseconds. */
const patience = 30_000;

/** A stream of the feed over real HTTP, and everything that came. */
export class EventStream {
  readonly response: IncomingMessage;
  readonly events: StreamEvent[] = [];
  readonly #request: ClientRequest;
  readonly #changed: (() => void)[] = [];
  #rest = '';
  isOver = false;

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.response = response;
    response.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    response.on('error', () => undefined);
    // A response whose connection breaks ends by `close` alone.
    response.on('close', () => {
      this.isOver = true;
      this.#tell();
    });
  }

  /** Opens a stream; `query` is what follows the question mark. */
  static async open(
    url: string,
    credential: string,
    query: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<EventStream> {
    const request = httpRequest(`${url}/feed?${query}`, {
      headers: { authorization: `Bearer ${credential}`, accept: 'text/event-stream', ...headers },
      agent: false,
    });
    request.on('error', () => undefined).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return new EventStream(request, response);
  }

  named(name: string): readonly StreamEvent[] {
    return this.events.filter((event) => event.name === name);
  }

  get names(): readonly string[] {
    return this.events.map(({ name }) => name);
  }

  /** The sequences of the entries, in the order in which they came. */
  get sequences(): readonly number[] {
    return this.named('c').map(({ data }) => (data as readonly [number])[0]);
  }

  /** Waits until something holds. */
  async until(isEnough: (stream: this) => boolean): Promise<void> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), patience);
    try {
      while (!isEnough(this)) {
        if (timeout.signal.aborted) throw new Error(`nothing came: ${JSON.stringify(this.events.slice(-20))}`);
        if (this.isOver) throw new Error(`the stream is over: ${JSON.stringify(this.events.slice(-20))}`);
        await this.#change(timeout.signal);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async untilOver(): Promise<void> {
    await this.until(({ isOver }) => isOver);
  }

  close(): void {
    this.#request.destroy();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#changed.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  #take(text: string): void {
    const pieces = (this.#rest + text).split('\n\n');
    this.#rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      const fields = new Map(
        piece.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const [name, data] = [fields.get('event'), fields.get('data')];
      if (name !== undefined && data !== undefined)
        this.events.push({ name, id: fields.get('id'), data: JSON.parse(data) });
    }
    this.#tell();
  }
}
