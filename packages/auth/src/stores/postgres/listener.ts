import pg from 'pg';
import { notificationChannel } from '../sql/change-queries.ts';
import { LocalWakeups, type Wakeups } from '../wakeups.ts';

/** How long to wait before it is tried again to listen, in milliseconds: at first, and at most. */
const firstPause = 250;
const longestPause = 10_000;

/** After how much silence the network is asked whether the server is still there, in milliseconds. */
const keepAliveAfter = 10_000;

/**
 * Listens on a connection of its own for what transactions notify of when they commit. While it is broken nobody is woken;
 * it is tried again for as long as somebody wants to be.
 */
export class PostgresListener implements Wakeups {
  readonly #connectionString: string;
  readonly #local = new LocalWakeups();
  #client: pg.Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #pause = firstPause;

  constructor(connectionString: string) {
    this.#connectionString = connectionString;
  }

  watch(wake: () => void): () => void {
    const stop = this.#local.watch(wake);
    if (this.#client === undefined && this.#retry === undefined) this.#connect();
    return () => {
      stop();
      if (!this.#local.isWatched) this.#disconnect();
    };
  }

  announce(): void {
    // The database does that, for every process alike.
  }

  close(): void {
    this.#local.close();
    this.#disconnect();
  }

  #connect(): void {
    const client = new pg.Client({
      connectionString: this.#connectionString,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveAfter,
    });
    this.#client = client;
    client.on('notification', () => this.#local.announce());
    client.on('error', () => this.#connectLater(client));
    client.on('end', () => this.#connectLater(client));
    this.#listen(client).catch(() => this.#connectLater(client));
  }

  async #listen(client: pg.Client): Promise<void> {
    await client.connect();
    await client.query(`listen ${notificationChannel}`);
    this.#pause = firstPause;
    // Whatever was notified of before was not heard.
    this.#local.announce();
  }

  #connectLater(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.end().catch(() => undefined);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#connect();
    }, this.#pause).unref();
    this.#pause = Math.min(this.#pause * 2, longestPause);
  }

  #disconnect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const client = this.#client;
    this.#client = undefined;
    client?.end().catch(() => undefined);
  }
}
