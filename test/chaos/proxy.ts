import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What stands between guards and a server, and may do to their connections what networks do. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  /** How long what a server sends into a stream is held back, in milliseconds, while everything else passes. */
  streamDelay = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  static async before(url: string): Promise<Proxy> {
    const proxy = new Proxy(Number(new URL(url).port));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    let isStream = false;
    client.on('data', (bytes: Buffer) => {
      isStream ||= bytes.toString('latin1').startsWith('GET /feed?');
      server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (isStream && this.streamDelay > 0) setTimeout(() => client.write(bytes), this.streamDelay);
      else client.write(bytes);
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
