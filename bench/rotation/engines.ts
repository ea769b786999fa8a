import { createAuth, isAuthError, type RefreshOutcome } from '@sallyport/auth';
import { sqlite } from '@sallyport/auth/sqlite';
import { refreshPolicy } from '../../packages/auth/src/sessions/refresh-rotation.ts';
import { RefreshTokens } from '../../packages/auth/src/sessions/refresh-token.ts';
import { later } from '../../packages/auth/src/sessions/session-lifetimes.ts';
import type { SessionRecord } from '../../packages/auth/src/sessions/session.ts';
import type { SessionStanding } from '../../packages/auth/src/sessions/session-store.ts';
import { Refresh, type RefreshDependencies } from '../../packages/auth/src/tokens/refresh.ts';
import type { UserRecord } from '../../packages/auth/src/users/user.ts';

type RefreshStore = RefreshDependencies['store'];

export type PolicyName = 'resilient' | 'strict';

/** What a presented refresh token got: a token, or nothing. */
export interface Presented {
  readonly outcome: RefreshOutcome;
  readonly token: string | undefined;
}

/** The server of a simulated world. */
export interface Engine {
  /** The first refresh token of a new session. */
  signIn(): Promise<string>;
  present(token: string): Promise<Presented>;
  close(): Promise<void>;
}

/** Opens an engine whose clock is the simulation's. */
export type OpenEngine = (policy: PolicyName, clock: () => Date) => Promise<Engine>;

const day = 86_400;
const lifetimes = { idle: 30 * day, absolute: 180 * day };
const secretKey = 'bench-only-k3y-material-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH';

const user: UserRecord = {
  id: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  username: 'ada',
  usernameFolded: 'ada',
  email: undefined,
  roles: [],
  disabled: false,
  createdAt: new Date(0),
  passwordHash: '',
  epoch: 0,
};

/** The engine as applications use it: everything from the password to the signature, over SQLite in memory. */
export const openWholeEngine: OpenEngine = async (policy, clock) => {
  let outcome: RefreshOutcome = 'unknown';
  const auth = await createAuth({
    issuer: 'https://auth.example.com',
    store: sqlite(':memory:'),
    secretKey,
    algorithm: 'HS256',
    refreshToken: { idleLifetime: lifetimes.idle, sessionLifetime: lifetimes.absolute, policy },
    clock,
    onEvent: (event) => {
      if (event.type === 'refresh_presented') outcome = event.outcome;
    },
  });
  const { id } = await auth.users.create({ username: 'ada', password: 'plum-otter-violin-91' });
  return {
    signIn: async () => (await auth.tokens.issue(id)).refreshToken,
    present: async (refreshToken) => {
      const pair = await unlessRefused(auth.refresh({ refreshToken }));
      return { outcome, token: pair?.refreshToken };
    },
    close: () => auth.close(),
  };
};

/**
 * The engine's own use case of refreshing, with its real tokens and its real rule, over a store port of one session in
 * memory and without signing access tokens: fifty times as fast as the whole engine, which decides alike (see `agree`).
 */
export const openRefreshAlone: OpenEngine = (policy, clock) => {
  const refreshTokens = new RefreshTokens(Buffer.from(secretKey));
  const store = new OneSession(clock);
  let outcome: RefreshOutcome = 'unknown';
  const refresh = new Refresh({
    store,
    refreshTokens,
    issuer: {
      issue: ({ session, granted, user: { id: userId } }) =>
        Promise.resolve({
          accessToken: '',
          refreshToken: refreshTokens.make(session.id, session.generation, session.salt),
          expiresIn: 900,
          refreshExpiresIn: lifetimes.idle,
          scope: granted.scope,
          sessionId: session.id,
          userId,
        }),
    },
    lifetimes,
    policy: refreshPolicy(policy, lifetimes.idle),
    clock,
    emit: (event) => {
      if (event.type === 'refresh_presented') outcome = event.outcome;
    },
  });
  return Promise.resolve({
    signIn: () => {
      const { id, generation, salt } = store.begin();
      return Promise.resolve(refreshTokens.make(id, generation, salt));
    },
    present: async (refreshToken) => {
      const pair = await unlessRefused(refresh.withToken({ refreshToken }));
      return { outcome, token: pair?.refreshToken };
    },
    close: () => Promise.resolve(),
  });
};

async function unlessRefused<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

// The source and the built package have an error class each.
function isRefusal(error: unknown): boolean {
  const isOurs = isAuthError(error) || (error instanceof Error && error.name === 'AuthError');
  return isOurs && 'code' in error && error.code === 'refresh_token_invalid';
}

const position = { asOf: 2, rightsAsOf: 2 };

/** A store of one session: what a refresh asks of a store, and no more. */
class OneSession implements RefreshStore {
  readonly #clock: () => Date;
  #session: SessionRecord | undefined;

  readonly sessions: RefreshStore['sessions'] = {
    findStanding: () => Promise.resolve(this.#standing()),
    rotate: (_id, generation, { now, idleExpiresAt }) => {
      const session = this.#session;
      const isDue = session?.generation === generation && session.endedAt === undefined;
      if (!isDue || session.expiresAt <= now || session.idleExpiresAt <= now) return Promise.resolve(undefined);
      this.#change({ base: generation, generation: generation + 1, mintedAt: now, rotatedAt: now, idleExpiresAt });
      return Promise.resolve(position);
    },
    fork: (_id, generation, { now, idleExpiresAt }) =>
      Promise.resolve(this.#change({ generation: generation + 1, mintedAt: now, idleExpiresAt })),
    end: (_id, _reason, now) => Promise.resolve(this.#change({ endedAt: now })),
  };

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  begin(): SessionRecord {
    const now = this.#clock();
    this.#session = {
      id: 'AAAAAAAAAAA',
      userId: user.id,
      userEpoch: user.epoch,
      generation: 1,
      base: 0,
      mintedAt: now,
      rotatedAt: now,
      salt: Buffer.from('0123456789abcdef'),
      scope: undefined,
      createdAt: now,
      lastUsedAt: now,
      idleExpiresAt: later(now, lifetimes.idle),
      expiresAt: later(now, lifetimes.absolute),
      endedAt: undefined,
      userAgent: undefined,
      address: undefined,
    };
    return this.#session;
  }

  #standing(): SessionStanding | undefined {
    return this.#session && { session: this.#session, user, scopes: new Set(), ...position };
  }

  #change(changes: Partial<SessionRecord>): boolean {
    if (this.#session === undefined) return false;
    this.#session = { ...this.#session, ...changes };
    return true;
  }
}
