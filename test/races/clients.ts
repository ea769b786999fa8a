import { setTimeout as delay } from 'node:timers/promises';
import { isAuthError } from '@sallyport/auth';
import { expect } from 'vitest';
import { type Answer, get, password, post, put } from '../http-client.ts';
import { type Fleet, held, type Held, heldIn, refreshAt, statusesOf } from './fleet.ts';

/** Makes one call; undefined when its answer was lost. */
export type Ask = (call: () => Promise<Answer>) => Promise<Answer | undefined>;

/** Somebody who refreshes, looks, signs out and in, gets other roles, and remembers what of it was acknowledged. */
export class Client {
  readonly #fleet: Fleet;
  readonly #id: string;
  readonly #administrator: string;
  /** The newest tokens; undefined: the end of the session was acknowledged. */
  #tokens: Held | undefined;
  /** How many sessions may have begun that it was not told of. */
  #unknown = 0;
  /** Tokens of sessions whose end was acknowledged. */
  readonly #ended: Held[] = [];
  #roles: readonly string[] = ['user'];
  /** What they may be instead, because the answer was lost. */
  #rolesPerhaps: readonly string[] | undefined;

  private constructor(fleet: Fleet, id: string, administrator: string) {
    this.#fleet = fleet;
    this.#id = id;
    this.#administrator = administrator;
  }

  /** Several of them, and the administrator who gives them roles. */
  static async open(fleet: Fleet, count: number): Promise<Client[]> {
    await fleet.auth.roles.set('editor', ['todos:write']);
    const { id } = await fleet.auth.users.create({ username: 'root', password, roles: ['admin'] });
    const { accessToken } = await fleet.auth.tokens.issue(id);
    const clients: Client[] = [];
    for (let index = 0; index < count; index += 1) {
      const user = await fleet.auth.users.create({ username: `user-${String(index)}`, password });
      clients.push(new Client(fleet, user.id, accessToken));
    }
    return clients;
  }

  /** Makes a call of some kind. Whatever happens meanwhile, only 503 may come instead of what it asks for. */
  async act(ask: Ask): Promise<void> {
    const chance = Math.random();
    if (this.#tokens === undefined) await this.#signIn();
    else if (chance < 0.6) await this.#refresh(ask, this.#tokens);
    else if (chance < 0.7) await this.#look(ask, this.#tokens);
    else if (chance < 0.85) await this.#signOut(ask, this.#tokens);
    else await this.#changeRoles(ask);
  }

  async #signIn(): Promise<void> {
    try {
      this.#tokens = held(await this.#fleet.auth.tokens.issue(this.#id));
    } catch (error) {
      if (!isAuthError(error) || error.code !== 'store_unavailable') throw error;
      this.#unknown += 1;
      await delay(20);
    }
  }

  async #refresh(ask: Ask, { refresh }: Held): Promise<void> {
    const answer = await ask(() => refreshAt(this.#fleet.next(), refresh));
    if (answer === undefined || isNotNow(answer)) return;
    // Nobody but this client ends its session, so a refusal would be an honest session lost.
    const tokens = heldIn(answer);
    expect(tokens).toBeDefined();
    this.#tokens = tokens;
  }

  async #look(ask: Ask, { access }: Held): Promise<void> {
    const answer = await ask(() => get(`${this.#fleet.next()}/me`, access));
    if (answer !== undefined && !isNotNow(answer)) expect(answer.status).toBe(200);
  }

  /** Asks until it is acknowledged: whether a lost one was done cannot be known. */
  async #signOut(ask: Ask, tokens: Held): Promise<void> {
    for (;;) {
      const answer = await ask(() => post(`${this.#fleet.next()}/token/revoke`, { token: tokens.refresh }));
      if (answer !== undefined && !isNotNow(answer)) {
        expect(answer.status).toBe(200);
        break;
      }
      await delay(20);
    }
    this.#ended.push(tokens);
    this.#tokens = undefined;
  }

  async #changeRoles(ask: Ask): Promise<void> {
    const roles = this.#roles.includes('editor') ? ['user'] : ['editor', 'user'];
    this.#rolesPerhaps = roles;
    const url = `${this.#fleet.next()}/users/${this.#id}/roles`;
    const answer = await ask(() => put(url, { roles }, this.#administrator));
    if (answer === undefined || isNotNow(answer)) return;
    expect(answer.status).toBe(200);
    [this.#roles, this.#rolesPerhaps] = [roles, undefined];
  }

  /** Makes sure that everything it was told holds, everywhere. */
  async verify(): Promise<void> {
    const fleet = this.#fleet;
    for (const { access, refresh } of this.#ended) {
      expect(heldIn(await refreshAt(fleet.next(), refresh))).toBeUndefined();
      expect(new Set(await statusesOf(fleet, '/me', access))).toEqual(new Set([401]));
    }
    const { roles } = (await get(`${fleet.next()}/users/${this.#id}`, this.#administrator)).body;
    expect([this.#roles, this.#rolesPerhaps]).toContainEqual(roles);
    if (this.#tokens === undefined) return;
    const renewed = heldIn(await refreshAt(fleet.next(), this.#tokens.refresh));
    expect(new Set(await statusesOf(fleet, '/me', renewed?.access ?? ''))).toEqual(new Set([200]));
    expect((await fleet.auth.sessions.list(this.#id)).length).toBeLessThanOrEqual(1 + this.#unknown);
  }
}

/** Whether a server had to put somebody off, and said for how long. */
export function isNotNow({ status, headers }: Answer): boolean {
  if (status === 503) expect(headers.get('retry-after')).toMatch(/^[1-9]/);
  return status === 503;
}

/** Every entry of the change log is there, once, in order. */
export async function expectGaplessLog({ auth }: Fleet): Promise<void> {
  const { head, changes } = await auth.changes.readSince(0);
  expect(changes.map(({ sequence }) => sequence)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
}
