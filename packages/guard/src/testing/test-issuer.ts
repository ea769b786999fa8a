import { randomUUID } from 'node:crypto';
import { type Algorithm, decodeJwtUnverified, type JwtClaims, type RemoteJwkSet, signJwt } from '@sallyport/jwt';
import type { GuardOptions } from '../guard-options.ts';
import { changeKinds } from '../replica/change.ts';
import { ChangeLog } from './change-log.ts';
import { createTestClock, type TestClock } from './test-clock.ts';
import { TestKeys } from './test-keys.ts';
import { checkWishes, type TokenWishes } from './token-wishes.ts';

/** What a {@link createTestIssuer} is told. */
export interface TestIssuerOptions {
  /** Default: `https://issuer.test`. */
  readonly issuer?: string;
  /** Whom its tokens are meant for. Default: `https://api.test`. */
  readonly audience?: string;
  /** What its key is for. Default: `ES256`. */
  readonly algorithm?: Algorithm;
  /** The roles there are and the scopes each grants. Default: none; roles nobody told of grant what a token asks. */
  readonly roles?: Readonly<Record<string, readonly string[]>>;
}

/** An authorization server in the test's own process: real keys and real tokens, no network. */
export interface TestIssuer {
  /** What a guard needs to trust this issuer, follow its changes and live by its clock: give it to `createGuard`. */
  readonly guardOptions: Pick<GuardOptions, 'issuer' | 'audience' | 'changes' | 'now'> & {
    readonly keys: RemoteJwkSet;
  };
  /** The clock of issuer and guards. */
  readonly clock: TestClock;
  /**
   * A token as wished.
   *
   * @throws {TypeError} for a wish it does not know.
   */
  tokenFor(wishes?: TokenWishes): string;
  /** The same as the `headers` of a request. */
  headersFor(wishes?: TokenWishes): { readonly authorization: string };
  /** Takes one token back. */
  revoke(token: string): void;
  /** Ends a session: none of its tokens is good any more. */
  endSession(sessionId: string): void;
  /** Takes back everything that was issued to a user until now, as disabling the user does. */
  revokeUser(subject: string): void;
  /** Gives a user other roles, also in the tokens already out. */
  setRoles(subject: string, roles: readonly string[]): void;
  /** Says what a role grants from now on; `undefined` deletes it. */
  defineRole(name: string, scopes: readonly string[] | undefined): void;
  /** Signs with a new key; tokens of the old one stay good. */
  rotateKey(): Promise<void>;
  /** Signs with a new key; every token of the old one is refused. */
  compromiseKey(): Promise<void>;
  /** Cannot be asked any more: guards answer 503. */
  goDown(): void;
  /** Can be asked again. */
  comeBack(): void;
}

const defaults = {
  issuer: 'https://issuer.test',
  audience: 'https://api.test',
  algorithm: 'ES256',
  roles: {},
} as const;

/**
 * Creates an authorization server for tests. Knows no network and no test runner: it works in Vitest, Jest and
 * `node:test`.
 *
 * @example
 * import assert from 'node:assert';
 * import { createGuard } from '@sallyport/guard';
 * import { createTestIssuer } from '@sallyport/guard/testing';
 *
 * const issuer = await createTestIssuer({ roles: { editor: ['todos:*'] } });
 * const guard = createGuard(issuer.guardOptions);
 * const token = issuer.tokenFor({ subject: 'ada', roles: ['editor'] });
 * const check = async () => guard.check({ authorization: [`Bearer ${token}`] }, { scope: 'todos:write' });
 *
 * assert((await check()).granted);
 * issuer.setRoles('ada', []);
 * assert(!(await check()).granted);
 *
 * @throws {JwtError} `key_invalid` for an algorithm there is none of.
 */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const { issuer, audience, algorithm } = { ...defaults, ...options };
  const keys = await TestKeys.create(algorithm);
  const server = new InMemoryIssuer({ issuer, audience }, keys);
  for (const [name, scopes] of Object.entries(options.roles ?? {})) server.defineRole(name, scopes);
  return server;
}

class InMemoryIssuer implements TestIssuer {
  readonly clock: TestClock = createTestClock();
  readonly guardOptions: TestIssuer['guardOptions'];
  readonly #log = new ChangeLog();
  readonly #keys: TestKeys;
  /** What each role grants that somebody told of. */
  readonly #told = new Map<string, readonly string[]>();
  readonly #untold = new Set<string>();

  constructor(names: Pick<GuardOptions, 'issuer' | 'audience'>, keys: TestKeys) {
    this.#keys = keys;
    this.guardOptions = Object.freeze({ ...names, keys, changes: this.#log, now: () => this.clock.now() });
  }

  tokenFor(wishes: TokenWishes = {}): string {
    checkWishes(wishes);
    const { roles = ['user'], wrongKey, wrongType, revoked, tampered } = wishes;
    this.#haveRoles(roles);
    const claims = this.#claimsFor(wishes, roles);
    const key = wrongKey === true ? this.#keys.stranger : this.#keys.own;
    const token = signJwt(claims, key, { typ: wrongType === true ? 'JWT' : 'at+jwt' });
    if (revoked === true) this.revoke(token);
    return tampered === true ? withOtherClaims(token) : token;
  }

  headersFor(wishes?: TokenWishes): { readonly authorization: string } {
    return { authorization: `Bearer ${this.tokenFor(wishes)}` };
  }

  revoke(token: string): void {
    this.#log.append({ kind: changeKinds.tokenDead, key: String(decodeJwtUnverified(token).claims.jti) });
  }

  endSession(sessionId: string): void {
    this.#log.append({ kind: changeKinds.sessionDead, key: sessionId });
  }

  revokeUser(subject: string): void {
    this.#log.append({ kind: changeKinds.userFloor, key: subject });
  }

  setRoles(subject: string, roles: readonly string[]): void {
    this.#haveRoles(roles);
    this.#log.append({ kind: changeKinds.userOverride, key: subject, data: { roles } });
  }

  defineRole(name: string, scopes: readonly string[] | undefined): void {
    this.#told.set(name, scopes ?? []);
    this.#log.append({ kind: changeKinds.roleDefinition, key: name, data: scopes === undefined ? null : { scopes } });
  }

  rotateKey(): Promise<void> {
    return this.#keys.rotate();
  }

  async compromiseKey(): Promise<void> {
    const { keyId = '' } = this.#keys.own;
    await this.#keys.rotate();
    this.#log.append({ kind: changeKinds.keyDead, key: keyId });
  }

  goDown(): void {
    this.#log.isDown = true;
  }

  comeBack(): void {
    this.#log.isDown = false;
  }

  /** A role nobody told of limits nothing: what its owners may do is what their tokens say. */
  #haveRoles(names: readonly string[]): void {
    for (const key of names.filter((name) => !this.#told.has(name) && !this.#untold.has(name))) {
      this.#untold.add(key);
      this.#log.append({ kind: changeKinds.roleDefinition, key, data: { scopes: ['*'] } });
    }
  }

  #claimsFor(wishes: TokenWishes, roles: readonly string[]): JwtClaims {
    const { issuer, audience } = this.guardOptions;
    const { subject = 'user-1', clientId = 'test-client', sessionId = randomUUID(), signedInAgo = 0 } = wishes;
    const { begin, end } = this.#lifeOf(wishes);
    const asked = wishes.scope === undefined ? undefined : [wishes.scope].flat();
    const isLimited = asked !== undefined || roles.some((name) => this.#untold.has(name));
    const claims = {
      iss: wishes.wrongIssuer === true ? 'https://stranger.test' : issuer,
      sub: subject,
      aud: wishes.wrongAudience === true ? 'https://elsewhere.test' : (wishes.audience ?? audience),
      client_id: clientId,
      iat: begin,
      nbf: begin,
      exp: end,
      auth_time: begin - signedInAgo,
      jti: randomUUID(),
      sid: sessionId,
      af: this.#log.head,
      roles,
      scope: (asked ?? roles.flatMap((name) => this.#told.get(name) ?? [])).join(' '),
      ...(isLimited ? { limited: true } : {}),
      ...wishes.claims,
    };
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  }

  #lifeOf({ lifetime = defaultLifetime, expired, notYetValid }: TokenWishes): { begin: number; end: number } {
    const now = Math.floor(this.clock.now().getTime() / milliseconds);
    const shift = expired === true ? -lifetime - 1 : notYetValid === true ? lifetime : 0;
    return { begin: now + shift, end: now + shift + lifetime };
  }
}

const defaultLifetime = 900;
const milliseconds = 1000;

function withOtherClaims(token: string): string {
  const [header = '', , signature = ''] = token.split('.');
  const claims = { ...decodeJwtUnverified(token).claims, sub: 'somebody-else' };
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
}
