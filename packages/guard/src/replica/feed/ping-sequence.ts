import type { NodeUpload } from './feed-node.ts';
import { periodOf, type SessionContext } from './session.ts';

/** How long one request goes on, in milliseconds: servers want requests to have arrived whole after 30 seconds. */
const longest = 15_000;

/**
 * How long after a request that came to nothing, or broke, another one is tried, in milliseconds: twice as long each time,
 * until one has lasted.
 */
const pauses = { first: 1_000, longest: 60_000 };

/** What a guard says of itself, as it goes over the wire. */
export interface WirePing {
  readonly guard: string;
  readonly n: number;
  readonly cursor: string | undefined;
  /** Default: it is to be echoed. */
  readonly echo?: false;
}

/**
 * Pings that go one after the other in the body of one request, as a sequence of JSON (RFC 7464): a tenth of what a request
 * for each would cost both sides.
 *
 * Not every way to a server lets a body through before it is whole, or leads to the process of the stream. So it is used only
 * once the echo of a ping that went this way has come, and no more when a later one stays away for half a period. A request
 * that takes the place of one that lasted is trusted like that one.
 */
export class PingSequence {
  readonly #context: SessionContext;
  readonly #onLost: () => void;
  #upload: NodeUpload | undefined;
  /** When the request began, on the monotonic clock. */
  #beganAt = 0;
  /** The ping whose echo shows that they get through. */
  #probe = 0;
  #isProven = false;
  /** Since when a ping waits for its echo, on the monotonic clock; `Infinity` while none does. */
  #waitsSince = Infinity;
  #pause: number = pauses.first;
  /** When another request may be tried, on the monotonic clock. */
  #triedAgainAt = Number.NEGATIVE_INFINITY;

  /** Calls `onLost` where it broke while it was used: what was sent last may not have come. */
  constructor(context: SessionContext, onLost: () => void) {
    this.#context = context;
    this.#onLost = onLost;
  }

  /** Whether to {@link try} it. */
  get mayBeTried(): boolean {
    return this.#upload === undefined && this.#context.clocks.monotonic() >= this.#triedAgainAt;
  }

  /** Begins with a ping that asks for an echo. */
  try(ping: WirePing): void {
    this.#probe = ping.n;
    this.#begin().write(recordOf(ping));
  }

  /** Sends a ping; false, and nothing done, where it is not known that it would get through. */
  send(ping: WirePing): boolean {
    if (!this.#isProven) return false;
    const now = this.#context.clocks.monotonic();
    // The next one that asks for an echo must not get lost as well.
    if (now - this.#waitsSince >= periodOf(this.#context) / 2) {
      this.#fail();
      return false;
    }
    if (ping.echo !== false) this.#waitsSince = Math.min(this.#waitsSince, now);
    this.#current().write(recordOf(ping));
    return true;
  }

  /** Hears that a ping was echoed, whichever way it went. */
  noteEcho(number: number): void {
    this.#waitsSince = Infinity;
    if (this.#isProven || this.#upload === undefined) return;
    if (number === this.#probe) this.#isProven = true;
    else if (number > this.#probe) this.#fail();
  }

  stop(): void {
    const upload = this.#upload;
    this.#reset();
    upload?.end();
  }

  /** The request to go on with: another one when it has lasted long. */
  #current(): NodeUpload {
    const upload = this.#upload;
    if (upload !== undefined && this.#context.clocks.monotonic() - this.#beganAt < longest) return upload;
    this.#pause = pauses.first;
    const next = this.#begin();
    upload?.end();
    return next;
  }

  #begin(): NodeUpload {
    const { node, clocks } = this.#context;
    this.#beganAt = clocks.monotonic();
    const upload = node.upload({ path: 'feed/pings', type: 'application/json-seq' }, () => {
      if (upload === this.#upload) this.#lose();
    });
    this.#upload = upload;
    return upload;
  }

  #lose(): void {
    const wasProven = this.#isProven;
    this.#fail();
    if (wasProven) this.#onLost();
  }

  #fail(): void {
    const upload = this.#upload;
    this.#reset();
    this.#triedAgainAt = this.#context.clocks.monotonic() + this.#pause;
    this.#pause = Math.min(2 * this.#pause, pauses.longest);
    upload?.destroy();
  }

  #reset(): void {
    [this.#upload, this.#isProven, this.#waitsSince] = [undefined, false, Infinity];
  }
}

/** JSON holds no line breaks, so that one line is enough. */
function recordOf(ping: WirePing): string {
  return `\u001e${JSON.stringify(ping)}\n`;
}
