import type { Access, AnyTerms, Terms } from './access.ts';
import { GrantedAccess, type GrantedToken } from './granted-access.ts';
import type { Refusal, RefusalCode } from './refusal.ts';
import type { Verdict } from './verdict.ts';
import type { Watched, Watches } from './watches.ts';

/** An access that is watched over until it is lost or the watch is stopped. */
export interface Watch<Words extends Terms = AnyTerms> {
  /** What is granted at the moment. */
  readonly access: Access<Words>;
  /** Why it was lost; `undefined` while it is not. */
  readonly lost: Refusal | undefined;
  /**
   * Goes on with another token of the same caller, before the present one expires. A token that is refused changes
   * nothing. Answers why it was, or `undefined` when it was taken.
   */
  renew(token: string): Promise<Refusal | undefined>;
  /** Ends the watch; nothing is heard of it any more. */
  stop(): void;
}

/** What a watch needs of the guard. */
export interface WatchingGuard {
  /** Judges a token that was verified before. */
  readonly judge: (granted: GrantedToken) => Verdict | Promise<Verdict>;
  /** Judges a token nobody has seen. */
  readonly verify: (text: string) => Verdict | Promise<Verdict>;
  readonly refuse: (code: RefusalCode) => Refusal;
  readonly watches: Watches;
  readonly onLost: (refusal: Refusal) => void;
}

export class WatchedAccess implements Watch, Watched {
  readonly #guard: WatchingGuard;
  #access: Access;
  #lost: Refusal | undefined;
  #isStopped = false;
  #isLooking = false;
  #mustLookAgain = false;

  constructor(access: Access, guard: WatchingGuard) {
    this.#access = access;
    this.#guard = guard;
    guard.watches.add(this);
  }

  get access(): Access {
    return this.#access;
  }

  get lost(): Refusal | undefined {
    return this.#lost;
  }

  get expiresAt(): Date {
    return this.#access.expiresAt;
  }

  look(): void {
    // What is being looked at may have been true before the change that asks for this look.
    this.#mustLookAgain = this.#isLooking;
    if (this.#isLooking) return;
    const looked = this.#access;
    const verdict = this.#judge(looked);
    if (!(verdict instanceof Promise)) {
      this.#conclude(looked, verdict);
      return;
    }
    this.#isLooking = true;
    const conclude = (settled: Verdict | undefined): void => {
      this.#isLooking = false;
      this.#conclude(looked, settled);
      if (this.#mustLookAgain) this.look();
    };
    verdict.then(conclude, () => {
      conclude(undefined);
    });
  }

  async renew(token: string): Promise<Refusal | undefined> {
    if (this.#isStopped) throw new TypeError('This watch was stopped');
    const verdict = await this.#guard.verify(token);
    if (this.#lost !== undefined) return this.#lost;
    if (!verdict.granted) return verdict.refusal;
    if (verdict.access?.subject !== this.#access.subject) return this.#guard.refuse('token_invalid');
    this.#access = verdict.access;
    if (!this.#isStopped) this.#guard.watches.add(this);
    return undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.#guard.watches.delete(this);
  }

  #judge(access: Access): Verdict | undefined | Promise<Verdict> {
    const granted = GrantedAccess.tokenOf(access);
    try {
      return granted && this.#guard.judge(granted);
    } catch {
      return undefined;
    }
  }

  /** Nothing is granted by a judgement that broke. */
  #conclude(looked: Access, verdict: Verdict | undefined): void {
    const isOver = this.#isStopped || this.#lost !== undefined;
    if (isOver || looked !== this.#access) return;
    if (verdict?.granted === true) {
      // With the rights that hold now.
      this.#access = verdict.access ?? looked;
      return;
    }
    this.#lost = verdict === undefined ? this.#guard.refuse('temporarily_unavailable') : verdict.refusal;
    this.#guard.watches.delete(this);
    try {
      this.#guard.onLost(this.#lost);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }
}
