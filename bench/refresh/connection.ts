import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

interface Call {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection that carries one call after another. `fetch` costs several times as much as the servers measured here,
 * and what the client costs makes all of them look alike.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = '';
  #call: Call | undefined;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (data) => this.#take(String(data)));
    socket.on('close', () => this.#call?.reject(new Error('the server hung up')));
    socket.on('error', (error) => this.#call?.reject(error));
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket, host);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Sends a request; bodies are JSON. */
  send(method: 'GET' | 'POST', path: string, body = '', headers = ''): Promise<Answer> {
    const type = body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new Error('the server has hung up'));
      this.#call = { resolve, reject };
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${type}${headers}\r\n${body}`);
    });
  }

  close(): void {
    this.#call = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1 || this.#call === undefined) return;
    const head = this.#received.slice(0, end);
    const body = readBody(head, this.#received.slice(end + 4));
    if (body === undefined) return;
    const { resolve } = this.#call;
    this.#received = '';
    resolve({ status: Number(head.slice(9, 12)), head, body });
  }
}

/** The body, once it is there. Chunks stay in their wrapping: nobody here reads those. */
function readBody(head: string, received: string): string | undefined {
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length === undefined) return received.endsWith('0\r\n\r\n') ? received : undefined;
  return received.length >= Number(length) ? received : undefined;
}
