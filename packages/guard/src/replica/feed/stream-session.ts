import { EventStream, type StreamEvent } from './event-stream.ts';
import { FeedFault, type FeedFaultReason } from './fault.ts';
import type { NodeAnswer } from './feed-node.ts';
import { type Echo, type FeedEntry, parseMessage, readBye, readEcho, readEntry, readGreeting } from './messages.ts';
import { Pings } from './pings.ts';
import { feedPath, patience, periodOf, type Session, type SessionContext } from './session.ts';

/** Periods without a byte after which a stream is taken for dead. */
const silentPeriods = 3;
/** How long entries may be known to be missing, in milliseconds. */
const longestLag = 1000;
/** How long a stream may take to greet, and then to echo a ping, in milliseconds. */
const deafAfter = 10_000;
const looksPerPeriod = 4;

/** Follows the log through a stream of events, and asks by pings how current that is. */
export class StreamSession implements Session {
  readonly #context: SessionContext;
  readonly #pings: Pings;
  readonly #events = new EventStream((event) => this.#take(event));
  #end: (error: unknown) => void = () => undefined;
  /** When it was opened, then when it greeted. */
  #beganAt = 0;
  #heardAt = 0;
  #lookedAt = 0;
  #pingedAt = 0;
  #isGreeted = false;
  #isAcknowledgementDue = false;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#pings = new Pings(context, (fault) => this.#end(fault));
  }

  async run(): Promise<void> {
    const { node, clocks, signal } = this.#context;
    const path = feedPath(this.#context);
    const { headers, body } = await node.send({ path, accept: 'text/event-stream', patience, signal });
    this.#beganAt = this.#heardAt = this.#lookedAt = clocks.monotonic();
    try {
      if (!String(headers['content-type']).startsWith('text/event-stream'))
        throw this.#fault('malformed', 'streams no events');
      await this.#listen(body);
    } finally {
      this.#pings.stop();
      body.destroy();
    }
  }

  nudge(): void {
    this.#ping();
  }

  #listen(body: NodeAnswer['body']): Promise<never> {
    const timer = setInterval(() => this.#attempt(() => this.#look()), periodOf(this.#context) / looksPerPeriod);
    timer.unref();
    const ended = new Promise<never>((_, reject) => {
      this.#end = reject;
      body.on('data', (bytes: Buffer) => this.#attempt(() => this.#hear(bytes)));
      // Not `end` or `error`: an answer that is destroyed comes to neither.
      body.on('close', () => reject(this.#fault('lost', 'ended the stream')));
    });
    return ended.finally(() => clearInterval(timer));
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#end(error);
    }
  }

  #hear(bytes: Buffer): void {
    this.#heardAt = this.#context.clocks.monotonic();
    this.#events.push(bytes);
    // One ping acknowledges all that came together.
    if (this.#isAcknowledgementDue) this.#acknowledge();
  }

  #take({ name, data }: StreamEvent): void {
    if (!this.#isGreeted && name !== 'hello') throw this.#fault('malformed', 'does not greet');
    const { log, onConnected } = this.#context;
    switch (name) {
      case 'hello':
        log.greet(readGreeting(parseMessage(data)));
        this.#isGreeted = true;
        this.#beganAt = this.#context.clocks.monotonic();
        onConnected();
        return this.#ping();
      case 'c':
        return this.#takeEntry(readEntry(parseMessage(data)));
      case 'echo':
        return this.#takeEcho(readEcho(parseMessage(data)));
      case 'resync':
        log.requireSnapshot();
        throw this.#fault('resync', 'cannot continue this position');
      case 'bye':
        throw this.#fault('bye', 'stops', readBye(parseMessage(data)));
    }
  }

  #takeEntry(entry: FeedEntry): void {
    if (this.#context.log.take(entry) && entry.acknowledge) this.#isAcknowledgementDue = true;
  }

  #takeEcho(echo: Echo): void {
    const sent = this.#pings.settle(echo);
    if (sent !== undefined) this.#context.log.confirm(sent, echo.age, echo.head);
  }

  #look(): void {
    const { clocks, log } = this.#context;
    const now = clocks.monotonic();
    const period = periodOf(this.#context);
    // Whoever stood still heard nothing: that says nothing about the stream.
    if (now - this.#lookedAt > period) this.#heardAt = now;
    this.#lookedAt = now;
    if (log.needsSnapshot) throw this.#fault('resync', 'must be asked for everything');
    this.#lookForSilence(now, silentPeriods * period);
    if (log.lag.lastsAt(now) > longestLag) throw this.#fault('behind', 'lacks entries that tokens prove to exist');
    if (this.#isGreeted && now - this.#pingedAt >= period) this.#ping();
  }

  #lookForSilence(now: number, longestSilence: number): void {
    const { clocks, log } = this.#context;
    const isOld = now - this.#beganAt > deafAfter;
    if (!this.#isGreeted) {
      if (isOld) throw this.#fault('deaf', 'does not greet');
      return;
    }
    if (now - this.#heardAt > longestSilence) throw this.#fault('silent', 'says nothing any more');
    const isStale = log.lease.ageAt(now, clocks.wall()) > Math.max(deafAfter, this.#context.bound() / 2);
    if (isOld && isStale) throw this.#fault('deaf', 'does not echo pings in time');
  }

  #ping(): void {
    this.#pingedAt = this.#context.clocks.monotonic();
    this.#isAcknowledgementDue = false;
    this.#pings.request('echo');
  }

  #acknowledge(): void {
    this.#isAcknowledgementDue = false;
    this.#pings.request('acknowledgement');
  }

  #fault(reason: FeedFaultReason, what: string, pause = 0): FeedFault {
    return new FeedFault(reason, `${this.#context.node.url} ${what}`, { pause });
  }
}
