import { connect } from 'node:net';
import { expect } from 'vitest';
import { type Access, changeKinds, createGuard, type Guard, type ProblemDetails } from '@sallyport/guard';
import { remoteJwkSet } from '@sallyport/jwt';
import { ChangeLog } from '../change-log.ts';
import { audience, issuer, issuerKeys } from '../tokens.ts';

/**
 * A running app that protects these routes with the guard and answers each with `{ subject }`: `GET /me` (any valid
 * token), `GET /todos` (scope `todos:read`), `POST /todos` (scopes `todos:read` and `todos:write`), `GET /admin` (role
 * `admin`), `GET /greeting` (optional), `GET /fresh` (signed in within 300 seconds), `GET /own/:subject` (a policy that
 * compares the path with the caller), `GET /demanding` (any valid token; its handler demands the role `admin`).
 *
 * Every handler calls `handled` first. No other route exists.
 */
export interface App {
  readonly port: number;
  readonly close: () => Promise<void>;
  /** Sends what an app answers that is not asked by plain HTTP. Default: `fetch`. */
  readonly send?: (path: string, headers: Record<string, string>, options: SendOptions) => Promise<Answer>;
  /** Header lines without which the app would not see a request as meant for it. Default: none. */
  readonly lines?: readonly string[];
}

export type StartApp = (guard: Guard, handled: (access: Access | undefined) => void) => Promise<App>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Partial<ProblemDetails> & { readonly subject?: string };
}

export interface SendOptions {
  readonly method?: string;
  readonly body?: string;
}

const common = { issuer, audience, keys: issuerKeys, realm: 'todos' };
const brokenSource = { readSince: () => Promise.reject(new Error('secret detail')) };

/** The parts of a guard, apart from the instance they belong to. */
function aGuard(): Guard {
  const guard = createGuard(common);
  return {
    check: (request, requirement) => guard.check(request, requirement),
    resolve: (requirement) => guard.resolve(requirement),
    watch: (access, onLost) => guard.watch(access, onLost),
    ready: () => guard.ready(),
    status: () => guard.status(),
    close: () => guard.close(),
  };
}

/** The guards an app is asked with, one after the other. */
const guards = {
  plain: () => createGuard(common),
  /** Follows a change log. */
  live: (log: ChangeLog) => createGuard({ ...common, changes: log }),
  /** Reads a token wherever one may be. */
  manySources: () =>
    createGuard({
      ...common,
      credentials: [
        { in: 'header' },
        { in: 'cookie', trustedOrigins: ['https://app.example.test'] },
        { in: 'query' },
        { in: 'body' },
      ],
    }),
  /** Cannot fetch its keys. */
  deaf: () => createGuard({ ...common, keys: remoteJwkSet('http://127.0.0.1:1/jwks') }),
  /** Cannot read the changes. */
  cutOff: () => createGuard({ ...common, changes: brokenSource }),
  /** Is broken itself. */
  faulty: (): Guard => ({ ...aGuard(), check: () => Promise.reject(new Error('secret detail')) }),
  /** Is broken itself, and says so at once. */
  throwing: (): Guard => ({
    ...aGuard(),
    check: () => {
      throw new Error('secret detail');
    },
  }),
} as const;

export type GuardName = keyof typeof guards;

/** One app of a framework, its routes behind whichever guard a case asks for. */
export class ContractApp {
  readonly log = new ChangeLog();
  readonly handled: (Access | undefined)[] = [];
  readonly #guards: Readonly<Record<GuardName, Guard>>;
  #asked: Guard;
  #app: App | undefined;

  constructor() {
    const roles = { admin: ['*'], user: ['todos:read'], writer: ['todos:*'], none: [] };
    for (const [key, scopes] of Object.entries(roles)) {
      this.log.append({ kind: changeKinds.roleDefinition, key, data: { scopes } });
    }
    const { plain, live, manySources, deaf, cutOff, faulty, throwing } = guards;
    this.#guards = {
      plain: plain(),
      live: live(this.log),
      manySources: manySources(),
      deaf: deaf(),
      cutOff: cutOff(),
      faulty: faulty(),
      throwing: throwing(),
    };
    this.#asked = this.#guards.plain;
  }

  async start(start: StartApp): Promise<void> {
    const guard: Guard = {
      ...aGuard(),
      check: (...request) => this.#asked.check(...request),
      watch: (...granted) => this.#asked.watch(...granted),
    };
    this.#app = await start(guard, (access) => this.handled.push(access));
  }

  async close(): Promise<void> {
    await this.#app?.close();
  }

  get port(): number {
    return this.#app?.port ?? 0;
  }

  /** Lets another guard judge while `act` sends its requests. */
  async with<Result>(name: GuardName, act: () => Promise<Result>): Promise<Result> {
    this.#asked = this.#guards[name];
    try {
      return await act();
    } finally {
      this.#asked = this.#guards.plain;
    }
  }

  async send(path: string, headers: Record<string, string> = {}, options: SendOptions = {}): Promise<Answer> {
    if (this.#app?.send !== undefined) return this.#app.send(path, headers, options);
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers, ...options });
    const text = await response.text();
    const isJson = text !== '' && response.headers.get('content-type')?.includes('json') === true;
    const body: unknown = isJson ? JSON.parse(text) : {};
    return { status: response.status, headers: response.headers, body: body as Answer['body'] };
  }

  sendToken(path: string, token: string, options: SendOptions = {}): Promise<Answer> {
    return this.send(path, { authorization: `Bearer ${token}` }, options);
  }

  /** Sends a request as it is written, with nothing put right on the way; answers the status. */
  async statusOfRaw(target: string, lines: readonly string[] = [], method = 'GET'): Promise<number> {
    const own = this.#app?.lines ?? ['Connection: close'];
    const head = [`${method} ${target} HTTP/1.1`, 'Host: 127.0.0.1', ...lines, ...own, '', ''];
    const answer = await this.exchange(head.join('\r\n'));
    const status = Number(answer.split(' ')[1]);
    return status === 101 ? 200 : status;
  }

  /** Sends bytes and answers all that comes back. */
  exchange(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(this.port, '127.0.0.1', () => socket.end(text, 'latin1'));
      socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
      socket.on('close', () => resolve(answer)).on('error', reject);
    });
  }

  /** Whatever `act` sends, no handler may run. */
  async withoutHandler<Result>(act: () => Promise<Result>): Promise<Result> {
    const before = this.handled.length;
    const result = await act();
    expect(this.handled.slice(before)).toEqual([]);
    return result;
  }

  /** Sends a request that must be refused. */
  refuse(path: string, headers: Record<string, string> = {}, options: SendOptions = {}): Promise<Answer> {
    return this.withoutHandler(() => this.send(path, headers, options));
  }

  /** Sends a token that must be refused. */
  refuseToken(path: string, token: string, options: SendOptions = {}): Promise<Answer> {
    return this.withoutHandler(() => this.sendToken(path, token, options));
  }
}
