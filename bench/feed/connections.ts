import { type Answer, Connection } from '../refresh/connection.ts';

/** As many as a busy client keeps. */
const mostOpen = 64;

/** Connections to one server, each of which carries one call after another; calls wait while all of them are taken. */
export class Connections {
  readonly #url: string;
  readonly #idle: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  #open = 0;

  constructor(url: string) {
    this.#url = url;
  }

  async post(path: string, body: string): Promise<Answer> {
    const connection = await this.#take();
    const answer = await connection.send('POST', path, body);
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next(connection);
    return answer;
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
  }

  #take(): Connection | Promise<Connection> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isOpen) return idle;
      // Servers close what has not been used for a while.
      this.#open -= 1;
    }
    if (this.#open === mostOpen) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#open += 1;
    return Connection.open(this.#url);
  }
}
