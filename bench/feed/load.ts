import { setTimeout as pause } from 'node:timers/promises';
import { now } from '../../test/chaos/moment.ts';
import { type Answer, Connection } from '../refresh/connection.ts';

/** One revocation: when it was asked for, and when it was acknowledged. */
export interface Call {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** How often the server was too busy, and asked again. */
  readonly repetitions: number;
}

/** How often it is looked which revocations are due, in milliseconds. */
const lookEvery = 1;
/** How long after a 503 it is asked again, in milliseconds. */
const repeatAfter = 100;

/** A connection that nobody uses, and since when. */
interface Idle {
  readonly connection: Connection;
  readonly since: number;
}

/** For how long a connection may be idle, in milliseconds: servers close them after five seconds. */
const longestIdle = 2000;

/**
 * Revokes tokens over HTTP at the servers in turn. Each is revoked when its time has come, whether or not the ones before
 * were answered: what waits for a slow server is counted as slow.
 */
export class Load {
  readonly #servers: readonly { readonly url: string; readonly idle: Idle[] }[];

  constructor(urls: readonly string[]) {
    this.#servers = urls.map((url) => ({ url, idle: [] }));
  }

  /** Revokes each token, the first at a moment, and each so many milliseconds after the one before. */
  async revoke(
    tokens: readonly string[],
    { startAt, interval, confirm }: { startAt: number; interval: number; confirm: boolean },
  ): Promise<Call[]> {
    const calls: Promise<Call>[] = [];
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        while (calls.length < tokens.length && startAt + calls.length * interval <= now()) {
          calls.push(this.#call(calls.length, { token: tokens[calls.length] ?? '', ...(confirm ? { confirm } : {}) }));
        }
        if (calls.length < tokens.length) return;
        clearInterval(timer);
        resolve();
      }, lookEvery);
    });
    return Promise.all(calls);
  }

  close(): void {
    for (const { idle } of this.#servers) for (const { connection } of idle) connection.close();
  }

  async #call(turn: number, content: object): Promise<Call> {
    const askedAt = now();
    const body = JSON.stringify(content);
    for (let repetitions = 0; ; repetitions += 1) {
      const { status, body: said } = await this.#send(turn + repetitions, body);
      if (status === 200) return { askedAt, answeredAt: now(), repetitions };
      if (status !== 503) throw new Error(`not revoked: ${String(status)} ${said}`);
      await pause(repeatAfter);
    }
  }

  async #send(turn: number, body: string): Promise<Answer> {
    const server = this.#servers[turn % this.#servers.length];
    if (server === undefined) throw new Error('no servers');
    const connection = takeIdle(server.idle) ?? (await Connection.open(server.url));
    const answer = await connection.send('POST', '/token/revoke', body);
    server.idle.push({ connection, since: now() });
    return answer;
  }
}

function takeIdle(idle: Idle[]): Connection | undefined {
  const last = idle.pop();
  if (last === undefined || now() - last.since <= longestIdle) return last?.connection;
  // Those below have been idle for longer.
  for (const { connection } of [last, ...idle.splice(0)]) connection.close();
  return undefined;
}
