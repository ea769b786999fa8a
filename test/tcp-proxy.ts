import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What sees everything that goes through one connection of a {@link TcpProxy}, and may hold it. */
export interface Relay {
  /** What the client has sent. */
  readonly fromClient: (bytes: Buffer, link: Link) => void;
  /** What the server has sent. */
  readonly fromServer: (bytes: Buffer, link: Link) => void;
}

/** One connection through the proxy. */
export interface Link {
  readonly toServer: (bytes: Buffer) => void;
  readonly toClient: (bytes: Buffer) => void;
  /** Ends it without a word, at both ends. */
  readonly cut: () => void;
}

/** A network between a client and a server, which a test can break. */
export interface TcpProxy {
  readonly port: number;
  /** How many connections clients have asked for. */
  readonly asked: () => number;
  /** Leads connections made from now on to another port. */
  readonly leadTo: (port: number) => void;
  /** Ends all connections. */
  readonly cut: () => void;
  /** Lets nothing through any more, and answers nobody, until `thaw`. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly close: () => Promise<void>;
}

const passOn = (): Relay => ({
  fromClient: (bytes, link) => link.toServer(bytes),
  fromServer: (bytes, link) => link.toClient(bytes),
});

/** Opens a proxy to a port of this machine; `relay` makes what watches a new connection. */
export async function openProxy(target: number, relay: () => Relay = passOn): Promise<TcpProxy> {
  let port = target;
  const sockets = new Set<Socket>();
  let [asked, isFrozen] = [0, false];

  const server = createServer((client) => {
    asked += 1;
    const upstream = connect(port, '127.0.0.1');
    const cut = (): void => {
      for (const socket of [client, upstream]) socket.destroy();
    };
    const link = {
      toServer: (bytes: Buffer) => void upstream.write(bytes),
      toClient: (bytes: Buffer) => void client.write(bytes),
      cut,
    };
    const { fromClient, fromServer } = relay();
    client.on('data', (bytes) => fromClient(bytes, link));
    upstream.on('data', (bytes) => fromServer(bytes, link));
    for (const socket of [client, upstream]) {
      socket.setNoDelay();
      if (isFrozen) socket.pause();
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const each = (act: (socket: Socket) => void): void => {
    for (const socket of sockets) act(socket);
  };
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => asked,
    leadTo: (other) => {
      port = other;
    },
    cut: () => each((socket) => socket.destroy()),
    freeze: () => {
      isFrozen = true;
      each((socket) => socket.pause());
    },
    thaw: () => {
      isFrozen = false;
      each((socket) => socket.resume());
    },
    close: async () => {
      each((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}
