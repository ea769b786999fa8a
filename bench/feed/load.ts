import { setTimeout as pause } from 'node:timers/promises';
import { now } from '../../test/chaos/moment.ts';
import { Connections } from './connections.ts';

/** One revocation: when it was asked for, and when it was acknowledged. */
export interface Call {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** How often a server answered 503 and was asked again. */
  readonly repetitions: number;
}

/** How often it is looked which revocations are due, in milliseconds. */
const lookEvery = 1;
/** How long after a 503 it is asked again, in milliseconds. */
const repeatAfter = 100;

/**
 * Revokes tokens over HTTP at the servers in turn. Each is revoked when its time has come, whether or not the ones before
 * were answered: what waits for a slow server is counted as slow.
 */
export class Load {
  readonly #servers: readonly Connections[];

  constructor(urls: readonly string[]) {
    this.#servers = urls.map((url) => new Connections(url));
  }

  /** Revokes each token, the first at a moment, and each so many milliseconds after the one before. */
  async revoke(
    tokens: readonly string[],
    { startAt, interval, confirm }: { startAt: number; interval: number; confirm: boolean },
  ): Promise<Call[]> {
    const calls: Promise<Call>[] = [];
    const callDue = (): void => {
      while (calls.length < tokens.length && startAt + calls.length * interval <= now()) {
        const body = { token: tokens[calls.length], ...(confirm ? { confirm } : {}) };
        const call = this.#call(calls.length, JSON.stringify(body));
        // It is heard of when all have been made.
        call.catch(() => undefined);
        calls.push(call);
      }
    };
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        callDue();
        if (calls.length < tokens.length) return;
        clearInterval(timer);
        resolve();
      }, lookEvery);
    });
    return Promise.all(calls);
  }

  close(): void {
    for (const connections of this.#servers) connections.close();
  }

  async #call(turn: number, body: string): Promise<Call> {
    const askedAt = now();
    for (let repetitions = 0; ; repetitions += 1) {
      const server = this.#servers[(turn + repetitions) % this.#servers.length];
      if (server === undefined) throw new Error('no servers');
      const answer = await server.post('/token/revoke', body);
      if (answer.status === 200) return { askedAt, answeredAt: now(), repetitions };
      if (answer.status !== 503) throw new Error(`not revoked: ${String(answer.status)} ${answer.body}`);
      await pause(repeatAfter);
    }
  }
}
