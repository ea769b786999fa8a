import {
  Agent as HttpAgent,
  type ClientRequest,
  request as sendHttp,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as sendHttps } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { FeedFault } from './fault.ts';

/** What is sent to a node. */
export interface NodeRequest {
  readonly path: string;
  /** Default: GET, or POST where there is a body. */
  readonly accept: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly text: string };
  /** How long until the answer begins, in milliseconds. */
  readonly patience: number;
  /** Aborts request and answer. */
  readonly signal?: AbortSignal;
  /** Keeps the process alive while the answer is awaited: somebody's request depends on it. */
  readonly holdsProcess?: boolean;
}

/** The beginning of an answer; the body comes. */
export interface NodeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: IncomingMessage;
}

/** A request whose body goes on. */
export interface NodeUpload {
  write(text: string): void;
  /** Ends it in order. */
  end(): void;
  destroy(): void;
}

/** What requests differ in. */
interface Beginning extends Pick<RequestOptions, 'method' | 'signal'> {
  readonly path: string;
  readonly headers: Readonly<OutgoingHttpHeaders>;
}

/** How long the answer to what was uploaded may take, in milliseconds. */
const patienceForAnswer = 5_000;

/** Open requests to one node at a time: the stream, pings, and those that introspect. */
const mostConnections = 64;

/**
 * One process of the issuer, as a guard reaches it.
 *
 * Speaks through `node:http` and not `fetch`, whose connections cannot be told to let the process end, and which gives
 * up on a stream that is silent for five minutes.
 */
export class FeedNode {
  /** Its base URL, for people. */
  readonly url: string;
  readonly #basePath: string;
  readonly #credential: string;
  readonly #send: typeof sendHttp;
  /** What all requests have in common. */
  readonly #shared: RequestOptions;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(url: string, credential: string) {
    this.url = url;
    const base = new URL(url.endsWith('/') ? url : `${url}/`);
    const isSecure = base.protocol === 'https:';
    const options = { keepAlive: true, maxSockets: mostConnections };
    this.#agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options);
    this.#send = isSecure ? sendHttps : sendHttp;
    this.#shared = { ...urlToHttpOptions(base), agent: this.#agent };
    this.#basePath = base.pathname;
    this.#credential = credential;
  }

  /**
   * Sends a request and waits until its answer begins.
   *
   * @throws {FeedFault} `lost` when there is none; `refused`, `unavailable` or `malformed` for any status but those asked for.
   */
  async send(request: NodeRequest, ...statuses: readonly number[]): Promise<NodeAnswer> {
    const answer = await this.#open(request);
    if ([200, ...statuses].includes(answer.status)) return answer;
    answer.body.destroy();
    throw this.#faultOf(answer.status);
  }

  /** Begins a request whose body goes on, and tells when it is over: answered with whatever, or broken off. */
  upload({ path, type }: { readonly path: string; readonly type: string }, onOver: () => void): NodeUpload {
    const outgoing = this.#begin({ path, method: 'POST', headers: { accept: '*/*', 'content-type': type } });
    outgoing.on('socket', (socket) => socket.unref());
    // What breaks it is told by `close` as well.
    outgoing.on('error', () => undefined);
    outgoing.on('close', onOver);
    outgoing.on('response', (incoming) => {
      incoming.on('error', () => undefined);
      incoming.resume();
      // Whoever answers before the end reads no more.
      if (!outgoing.writableEnded) outgoing.destroy();
    });
    outgoing.flushHeaders();
    return {
      write: (text) => void outgoing.write(text),
      end: () => {
        outgoing.end();
        const timer = setTimeout(() => outgoing.destroy(), patienceForAnswer).unref();
        outgoing.on('close', () => clearTimeout(timer));
      },
      destroy: () => void outgoing.destroy(),
    };
  }

  /** Closes every connection. */
  close(): void {
    this.#agent.destroy();
  }

  #open({ path, accept, headers, body, patience, signal, holdsProcess }: NodeRequest): Promise<NodeAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#begin({
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept,
          ...headers,
          ...(body && { 'content-type': body.type, 'content-length': Buffer.byteLength(body.text) }),
        },
        ...(signal && { signal }),
      });
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${String(patience)} ms`)), patience);
      timer.unref();
      if (holdsProcess !== true) outgoing.on('socket', (socket) => socket.unref());
      outgoing.on('error', (cause) => reject(this.#lost(cause)));
      outgoing.on('close', () => clearTimeout(timer));
      outgoing.on('response', (incoming) => {
        clearTimeout(timer);
        // A connection that breaks is told by `close` as well; without a listener the error would end the process.
        incoming.on('error', () => undefined);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming });
      });
      outgoing.end(body?.text);
    });
  }

  #begin({ path, headers, ...options }: Beginning): ClientRequest {
    return this.#send({
      ...this.#shared,
      ...options,
      path: this.#basePath + path,
      headers: { authorization: `Bearer ${this.#credential}`, ...headers },
    });
  }

  #lost(cause: Error): FeedFault {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
    return new FeedFault('lost', `${this.url} cannot be reached (${code})`, { cause });
  }

  #faultOf(status: number): FeedFault {
    if (status === 401 || status === 403) {
      return new FeedFault('refused', `${this.url} refuses the feed credential (${String(status)}): make another one`);
    }
    if (status === 429 || status >= 500) {
      return new FeedFault('unavailable', `${this.url} cannot answer at present (${String(status)})`);
    }
    return new FeedFault('malformed', `${this.url} has no feed: it answers ${String(status)}`);
  }
}

/**
 * Reads an answer to its end.
 *
 * @throws {FeedFault} `lost` when it breaks off or stalls, `malformed` when it is longer than `limit` bytes
 */
export function readWhole({ body }: NodeAnswer, limit: number, patience: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let fault = new FeedFault('lost', 'The answer broke off');
  const stalled = setTimeout(() => {
    fault = new FeedFault('lost', `The answer stalled for ${String(patience)} ms`);
    body.destroy();
  }, patience);
  stalled.unref();
  body.on('data', (chunk: Buffer) => {
    stalled.refresh();
    chunks.push(chunk);
    length += chunk.length;
    if (length <= limit) return;
    fault = new FeedFault('malformed', `The answer is longer than ${String(limit)} bytes`);
    body.destroy();
  });
  return new Promise((resolve, reject) => {
    // Not `end` or `error`: an answer that is destroyed comes to neither.
    body.on('close', () => {
      clearTimeout(stalled);
      if (body.complete && length <= limit) resolve(Buffer.concat(chunks, length));
      else reject(fault);
    });
  });
}
