import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { changeKinds } from '@sallyport/guard';
import { type JwtKey, signJwt } from '@sallyport/jwt';
import { HalfSipHash } from '../src/replica/half-sip-hash.ts';
import { issuer, issuerKey } from './tokens.ts';

/** An entry as it goes over the wire. */
export type WireEntry = [sequence: number, kind: number, key: string, expiresAt: number, flags: number, data?: unknown];

type NewEntry = { kind: number; key?: string; expiresAt?: number; flags?: number; data?: unknown };

interface Stream {
  readonly guard: string;
  readonly response: ServerResponse;
  sent: number;
}

interface WaitingPoll {
  readonly answer: () => void;
}

const packedKinds: readonly number[] = [changeKinds.sessionDead, changeKinds.userFloor, changeKinds.tokenDead];

/** A small server that speaks the protocol of the feed as docs/feed-protocol.md has it, and fails as it is told to. */
export class FeedServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<Stream>();
  readonly #sequences = new Set<IncomingMessage>();
  readonly #polls = new Set<WaitingPoll>();
  entries: WireEntry[] = [];
  head = 0;
  incarnation = 'first';
  hashKey = '000102030405060708'.slice(0, 16);
  /** Signs the proofs of snapshots. */
  signer: JwtKey = issuerKey;
  /** Changes the header or the proof of a snapshot before it is signed or after. */
  tamper: (snapshot: Buffer) => Buffer = (snapshot) => snapshot;
  /** How long ago the database was asked, as it says. */
  age = 0;
  version = { v: 1, min: 1 };
  /** What everybody is answered on a path instead, by status. */
  statuses: Readonly<Record<string, number>> = {};
  /** Holds back everything that goes into streams, in milliseconds, while pings pass: a proxy that buffers. */
  streamDelay = 0;
  /** What streams call themselves. */
  streamType = 'text/event-stream';
  /** How long it takes to answer a ping, in milliseconds. */
  pingDelay = 0;
  /** Hands bodies on when they are whole, as proxies do that buffer. */
  buffersBodies = false;
  /** Reads sequences of pings and does nothing about them. */
  isDeafToSequences = false;
  /** Echoes no pings. */
  isSilent = false;
  /** Answers nothing any more, and keeps every connection. */
  isFrozen = false;
  /** Entries that streams do not get although they exist. */
  lost = new Set<number>();
  /** What introspection says of a token. */
  introspect: (token: string) => unknown = () => ({ active: false });
  readonly credential = 'a-feed-credential';
  /** Everything that was asked for: `GET /feed`. */
  readonly requests: { what: string; query: URLSearchParams; body: string }[] = [];
  /** Every ping that came, in whatever request. */
  readonly pings: ReceivedPing[] = [];
  /** The last snapshot that was sent. */
  snapshotSent: Buffer = Buffer.alloc(0);
  /** Guards that took leave. */
  readonly left: string[] = [];
  /** The cursor of the last ping or poll of each guard. */
  readonly acknowledged = new Map<string, string>();

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** Listens, on the port it had before if any. */
  async start(): Promise<this> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Ends as a killed process does: every connection is reset. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  get cursor(): string {
    return `${this.incarnation}.${String(this.head)}`;
  }

  /** How many streams are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** How many sequences of pings are open. */
  get sequences(): number {
    return this.#sequences.size;
  }

  /** Breaks the connections of sequences of pings. */
  breakSequences(): void {
    for (const request of this.#sequences) request.destroy();
  }

  count(what: string): number {
    return this.requests.filter((request) => request.what === what).length;
  }

  append({ kind, key = '', expiresAt = 0, flags = 1, data }: NewEntry): number {
    this.head += 1;
    this.entries.push(
      data === undefined ? [this.head, kind, key, expiresAt, flags] : [this.head, kind, key, expiresAt, flags, data],
    );
    for (const stream of this.#streams) this.#catchUp(stream);
    for (const { answer } of this.#polls) answer();
    return this.head;
  }

  /** What a restore from a backup does: another incarnation that knows only the first entries. */
  restore(head: number, incarnation = `${this.incarnation}+`): void {
    this.entries = this.entries.filter(([sequence]) => sequence <= head);
    [this.head, this.incarnation] = [head, incarnation];
    this.cut();
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends any event into every stream. */
  say(name: string, data: unknown, id?: string): void {
    for (const { response } of this.#streams) this.#write(response, event(name, data, id));
  }

  /** Sends bytes into every stream as they are. */
  sayRaw(text: string): void {
    for (const { response } of this.#streams) this.#write(response, text);
  }

  /** Ends every stream in order. */
  endStreams(): void {
    for (const { response } of this.#streams) response.end();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url);
    const what = `${request.method ?? ''} ${url.pathname}`;
    if (what === 'POST /feed/pings') return this.#pings(request, response);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.requests.push({ what, query: url.searchParams, body });
    if (this.isFrozen) return;
    const status = this.statuses[url.pathname];
    if (status !== undefined) return void response.writeHead(status).end();
    if (request.headers.authorization !== `Bearer ${this.credential}`) return void response.writeHead(401).end();
    if (what === 'GET /feed')
      return url.searchParams.has('poll')
        ? this.#poll(url.searchParams, response)
        : this.#stream(url.searchParams, response);
    if (what === 'POST /feed/ping') return this.#ping(JSON.parse(body) as Ping, response);
    if (what === 'GET /feed/snapshot') return this.#snapshot(request, response);
    if (what === 'POST /token/introspect') {
      const answer = this.introspect(new URLSearchParams(body).get('token') ?? '');
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    }
    response.writeHead(404).end();
  }

  #greeting(): object {
    const { incarnation: inc, head, hashKey: hash_key } = this;
    return { ...this.version, inc, head, hash_key, token_lifetime: 900, node: this.url };
  }

  /** Where a cursor can be continued, or undefined. */
  #positionOf(cursor: string | null): number | undefined {
    const [incarnation, sequence] = cursor?.split('.') ?? [];
    const position = Number(sequence);
    const isKnown = incarnation === this.incarnation && position <= this.head;
    const isKept = this.entries.filter(([each]) => each > position).length === this.head - position;
    return isKnown && isKept ? position : undefined;
  }

  #stream(query: URLSearchParams, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': this.streamType, 'cache-control': 'no-store' });
    response.flushHeaders();
    this.#write(response, event('hello', this.#greeting()));
    const position = this.#positionOf(query.get('cursor'));
    if (position === undefined) {
      this.#write(response, event('resync', {}));
      response.end();
      return;
    }
    const stream = { guard: query.get('guard') ?? '', response, sent: position };
    this.#streams.add(stream);
    response.on('close', () => this.#streams.delete(stream));
    this.#catchUp(stream);
  }

  #catchUp(stream: Stream): void {
    for (const entry of this.entries) {
      const [sequence] = entry;
      if (sequence <= stream.sent) continue;
      stream.sent = sequence;
      if (!this.lost.has(sequence))
        this.#write(stream.response, event('c', entry, `${this.incarnation}.${String(sequence)}`));
    }
  }

  #write(response: ServerResponse, text: string): void {
    if (this.isFrozen) return;
    if (this.streamDelay === 0) response.write(text);
    else setTimeout(() => response.write(text), this.streamDelay).unref();
  }

  #ping(ping: Ping, response: ServerResponse): void {
    if (!this.#take(ping, 'alone')) return void response.writeHead(410).end();
    setTimeout(() => response.writeHead(204).end(), this.pingDelay);
  }

  /** Hears pings one by one while the request goes on. */
  async #pings(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push({ what: 'POST /feed/pings', query: new URLSearchParams(), body: '' });
    const isLetIn = request.headers.authorization === `Bearer ${this.credential}`;
    const status = isLetIn ? this.statuses['/feed/pings'] : 401;
    if (status !== undefined) return void response.writeHead(status).end();
    this.#sequences.add(request);
    request.on('close', () => this.#sequences.delete(request));
    let rest = '';
    try {
      for await (const chunk of request) {
        const records = (rest + String(chunk)).split('\n');
        rest = records.pop() ?? '';
        if (this.isFrozen || this.isDeafToSequences || this.buffersBodies) continue;
        for (const record of records) {
          // Behind the record separator.
          if (!this.#take(JSON.parse(record.slice(1)) as Ping, 'sequence')) return void response.writeHead(410).end();
        }
      }
    } catch {
      // Guards hang up.
    }
    response.writeHead(204).end();
  }

  /** Whether the stream of the guard is here. */
  #take(ping: Ping, way: ReceivedPing['way']): boolean {
    const { guard, n, cursor, echo = true, leaving } = ping;
    this.pings.push({ ...ping, way });
    if (leaving === true) this.left.push(guard);
    const stream = [...this.#streams].find((each) => each.guard === guard);
    if (stream === undefined) return false;
    this.acknowledged.set(guard, cursor);
    if (!this.isSilent && echo && leaving !== true)
      this.#write(stream.response, event('echo', { n, head: this.head, age: this.age }));
    return true;
  }

  #poll(query: URLSearchParams, response: ServerResponse): void {
    this.acknowledged.set(query.get('guard') ?? '', query.get('cursor') ?? '');
    const position = this.#positionOf(query.get('cursor'));
    const answer = (): void => {
      clearTimeout(timer);
      this.#polls.delete(waiting);
      const entries = this.entries.filter(
        ([sequence]) => position !== undefined && sequence > position && !this.lost.has(sequence),
      );
      const message = { ...this.#greeting(), age: this.age, resync: position === undefined, entries };
      if (!this.isFrozen) response.setHeader('content-type', 'application/json').end(JSON.stringify(message));
    };
    const waiting = { answer };
    const timer = setTimeout(answer, Number(query.get('poll')) * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      this.#polls.delete(waiting);
    });
    if (position === this.head) this.#polls.add(waiting);
    else answer();
  }

  #snapshot(request: IncomingMessage, response: ServerResponse): void {
    const tag = `"${this.cursor}"`;
    response.setHeader('etag', tag);
    response.setHeader('x-age', String(this.age));
    if (request.headers['if-none-match'] === tag) return void response.writeHead(304).end();
    this.snapshotSent = this.snapshot();
    response.setHeader('content-type', 'application/vnd.sallyport.feed-snapshot').end(this.snapshotSent);
  }

  /** The snapshot of this moment. */
  snapshot(issuedAt: number = Math.floor(Date.now() / 1000)): Buffer {
    const hash = new HalfSipHash(Buffer.from(this.hashKey, 'hex'));
    const newest = new Map(this.entries.map((entry) => [`${String(entry[1])} ${entry[2]}`, entry]));
    const alive = [...newest.values()];
    const packed = alive.filter(([, kind]) => packedKinds.includes(kind));
    const header = Buffer.from(
      JSON.stringify({ ...this.#greeting(), iss: issuer, iat: issuedAt, count: packed.length, v: this.version.v }),
    );
    const records = packed.map(([sequence, kind, key, expiresAt]) => {
      hash.digest(kind, key);
      const record = Buffer.alloc(16);
      record.writeInt32LE(hash.low, 0);
      record.writeInt32LE(hash.high, 4);
      record.writeUInt32LE(this.head - sequence, 8);
      record.writeUInt32LE(expiresAt, 12);
      return record;
    });
    const list = Buffer.from(JSON.stringify(alive.filter(([, kind]) => !packedKinds.includes(kind))));
    const padding = Buffer.alloc(-(8 + header.length) & 15);
    const signed = Buffer.concat([Buffer.from('SPF1'), sized(header), padding, ...records, sized(list)]);
    const sha256 = createHash('sha256').update(signed).digest('base64url');
    const claims = { iss: issuer, iat: issuedAt, inc: this.incarnation, head: this.head, sha256 };
    return this.tamper(
      Buffer.concat([signed, sized(Buffer.from(signJwt(claims, this.signer, { typ: 'feed-snapshot+jwt' })))]),
    );
  }
}

interface ReceivedPing extends Ping {
  /** Whether it had a request of its own. */
  readonly way: 'alone' | 'sequence';
}

interface Ping {
  readonly guard: string;
  readonly n: number;
  readonly cursor: string;
  readonly echo?: boolean;
  readonly leaving?: boolean;
}

function event(name: string, data: unknown, id?: string): string {
  return `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
