import { setTimeout as pause } from 'node:timers/promises';
import { post } from '../http-client.ts';
import type { Fleet } from '../races/fleet.ts';
import type { GuardProcess } from './guard-fleet.ts';
import { now } from './moment.ts';

/** A token, and what was done about it. */
export interface Subject {
  readonly token: string;
  /** Asked for at this moment; what then became of it nobody knows until it is acknowledged. */
  askedAt?: number;
  /** When the server had acknowledged its revocation. */
  acknowledgedAt?: number;
}

/** How long a token lives before it is revoked, in milliseconds: guards are to have granted it. */
const life = 250;
const pauseBetween = 20;

/** People who sign in and, most of them, out again: every token is checked by every guard all the time. */
export class Revocations {
  readonly #fleet: Fleet;
  readonly #guards: () => readonly GuardProcess[];
  readonly #userId: string;
  #subjects: Subject[] = [];
  #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(fleet: Fleet, guards: () => readonly GuardProcess[], userId: string) {
    this.#fleet = fleet;
    this.#guards = guards;
    this.#userId = userId;
  }

  /** Everybody who signed in since {@link Revocations.forget}. */
  get subjects(): readonly Subject[] {
    return this.#subjects;
  }

  get acknowledged(): readonly Subject[] {
    return this.subjects.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined);
  }

  /** Tokens that nobody tried to revoke. */
  get honest(): readonly Subject[] {
    return this.subjects.filter(({ askedAt }) => askedAt === undefined);
  }

  /** Has people come and go until {@link Revocations.stop}; so many at the same time. */
  start(people: number): void {
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#running = Promise.all(Array.from({ length: people }, (_, person) => this.#comeAndGo(person, signal)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Begins anew. */
  forget(): void {
    this.#subjects = [];
    for (const guard of this.#guards()) guard.tell({ forget: true });
  }

  /** Waits until so many more revocations were acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    while (this.acknowledged.length < wanted) await pause(20);
  }

  /** Somebody signs in; undefined while the database is away. */
  async signIn(): Promise<Subject | undefined> {
    const pair = await this.#fleet.auth.tokens.issue(this.#userId).catch(() => undefined);
    if (pair === undefined) return undefined;
    const subject = { token: pair.accessToken };
    this.#subjects.push(subject);
    for (const guard of this.#guards()) guard.tell({ watch: [subject.token] });
    return subject;
  }

  async #comeAndGo(person: number, signal: AbortSignal): Promise<void> {
    for (let turn = person; !signal.aborted; turn += 1) {
      await pause(pauseBetween);
      const subject = await this.signIn();
      // Every fifth stays.
      if (subject === undefined || turn % 5 === 0) continue;
      await pause(life);
      await this.#signOut(subject);
    }
  }

  async #signOut(subject: Subject): Promise<void> {
    subject.askedAt = now();
    const answer = await post(`${this.#fleet.next()}/token/revoke`, { token: subject.token }).catch(() => undefined);
    if (answer?.status === 200) subject.acknowledgedAt = now();
  }
}
