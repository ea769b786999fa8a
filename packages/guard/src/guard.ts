import type { AccessTokenClaims } from '@sallyport/jwt';
import type { Access, AnyTerms, Requirement, Terms } from './access.ts';
import { AccessRefusedError } from './access-refused-error.ts';
import { createCredentialsReader, type Credentials, type CredentialsReader } from './credentials/credentials.ts';
import type { GuardedRequest } from './credentials/guarded-request.ts';
import { GrantedAccess, type GrantedToken, type Grantor } from './granted-access.ts';
import type { GuardOptions } from './guard-options.ts';
import { type ResolvedGuardOptions, resolveGuardOptions } from './resolved-guard-options.ts';
import { type ChallengeContent, createRefusal, type Refusal, type RefusalCode } from './refusal.ts';
import { challengeScheme, readsBody } from './credentials/credential-source.ts';
import { describeGuardAs } from './openapi/guard-description.ts';
import { FeedReplica } from './replica/feed/feed-replica.ts';
import { becomeReady } from './replica/readiness.ts';
import { Replica } from './replica/replica.ts';
import { StatedTruth } from './replica/stated-truth.ts';
import { ChangesUnavailableError, type GuardStatus, type Judgement, type Truth } from './replica/truth.ts';
import { findShortfall, type ResolvedRequirement, resolveRequirement } from './requirement.ts';
import type { Shortfall } from './rules.ts';
import { whenSettled } from './settled.ts';
import type { Verdict } from './verdict.ts';
import { createVerifier, type Verification, type Verifier } from './verification.ts';
import { type Watch, WatchedAccess } from './watch.ts';
import { Watches } from './watches.ts';

/** Decides who may pass. Knows no framework: an adapter hands it the request and acts on the verdict. */
export interface Guard<Words extends Terms = AnyTerms> {
  /**
   * Decides one request. `context` is what a policy of the requirement is given beside the access.
   *
   * Never throws for a bad token, and never grants or refuses because something broke: sources that are down make a
   * 503 refusal, anything unexpected throws or rejects. Synchronous when the keys are at hand, what the guard knows of
   * the feed is fresh enough and no policy or body is waited for, else a promise, and always one with `changes`: `await`
   * suits both.
   *
   * @throws {TypeError} when the requirement is misspelt, or limits `maxStaleness` where the guard follows no feed; see
   * {@link Guard.resolve}.
   */
  check<Context = unknown>(
    request: GuardedRequest,
    requirement?: Requirement<Words, Context> | ResolvedRequirement<Context>,
    context?: Context,
  ): Verdict<Words> | Promise<Verdict<Words>>;
  /**
   * Checks a requirement once, when its route is declared, by the words of this guard; see {@link resolveRequirement}.
   *
   * @throws {TypeError} naming everything that is wrong with the requirement at once.
   */
  resolve<Context = unknown>(
    requirement?: Requirement<Words, Context> | ResolvedRequirement<Context>,
  ): ResolvedRequirement<Context>;
  /**
   * Watches over an access of this guard for something that lasts longer than a request, such as a WebSocket: until its
   * token expires or is revoked, or the caller no longer meets the requirement. With `feed` that is heard within
   * milliseconds; where what holds cannot be known any more, the access is lost too.
   *
   * `onLost` hears once why; close the connection then. Keeps no process alive. A policy in the requirement is asked
   * again and again.
   *
   * @throws {TypeError} for an access that none of our guards has granted, and for a misspelt requirement.
   */
  watch<Context = unknown>(
    access: Access<Words>,
    onLost: (refusal: Refusal) => void,
    requirement?: Requirement<Words, Context> | ResolvedRequirement<Context>,
    context?: Context,
  ): Watch<Words>;
  /**
   * Waits until the keys and, with `feed`, what holds for live tokens are at hand: then start to listen. Keeps the
   * process alive meanwhile. `timeout` is in seconds. Default: 30.
   *
   * @throws {Error} when that has not come to pass in time; the message says why.
   * @throws {TypeError} for a timeout that is no number of seconds.
   */
  ready(timeout?: number): Promise<void>;
  /** How the guard is doing: for health checks and metrics. Costs next to nothing. */
  status(): GuardStatus;
  /**
   * Takes leave of the issuer and ends the connections of a guard with `feed`, which answers 503 from then on: call it
   * when the last request has been answered. A process ends without it as well; the issuer then waits for the guard
   * when it confirms a revocation, until its lease runs out. Does nothing to a guard without `feed`.
   */
  close(): Promise<void>;
}

/** The words of the guard that these options make. */
type WordsOf<Claims extends object, Scope extends string, Role extends string> = {
  readonly claims: Claims;
  readonly scope: Scope;
  readonly role: Role;
};

/**
 * Creates a guard that accepts one issuer's access tokens on behalf of one audience.
 *
 * Checks the signature, `typ`, `iss`, `aud`, `exp`, `nbf` and the route's requirement. Does **not** know of
 * revocations and role changes unless `feed` or `changes` is given, and reads tokens from query, body or cookies only where
 * `credentials` says so.
 *
 * @example
 * import { createGuard } from '@sallyport/guard';
 *
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'https://api.example.com' });
 * const verdict = await guard.check({ authorization: ['Bearer eyJ…'] }, { scope: 'todos:read' });
 * if (verdict.granted) console.log(verdict.access?.subject);
 * else console.log(verdict.refusal.status, verdict.refusal.body.code);
 *
 * @throws {TypeError} listing every problem with the options at once.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068.html#section-4 RFC 9068, section 4}
 */
export function createGuard<
  Claims extends object = AccessTokenClaims,
  const Scope extends string = string,
  const Role extends string = string,
>(options: GuardOptions<Claims, Scope, Role>): Guard<WordsOf<Claims, Scope, Role>> {
  const resolved = resolveGuardOptions(options);
  // What the types promise of claims and names is what the schema and the lists in the options hold at run time.
  const guard = new TokenGuard(resolved) as unknown as Guard<WordsOf<Claims, Scope, Role>>;
  describeGuardAs(guard, resolved);
  return guard;
}

const milliseconds = 1000;

type SentToken = Extract<Credentials, { readonly kind: 'token' }>;

/** What a request is held against. */
interface Asked {
  readonly required: ResolvedRequirement;
  readonly context: unknown;
}

class TokenGuard implements Guard {
  readonly #options: ResolvedGuardOptions;
  readonly #readCredentials: CredentialsReader;
  readonly #readsBody: boolean;
  readonly #truth: Truth;
  #verify: Verifier;
  readonly #grantor: Grantor;
  readonly #challenge: ChallengeContent;
  readonly #watches: Watches;

  constructor(options: ResolvedGuardOptions) {
    const { credentials, severalCredentials, vocabulary, realm, now } = options;
    this.#options = options;
    this.#readCredentials = createCredentialsReader(credentials, severalCredentials);
    this.#readsBody = credentials.some(readsBody);
    this.#verify = createVerifier(options);
    this.#truth = this.#openTruth();
    this.#grantor = { vocabulary, now, refused: (lacking) => new AccessRefusedError(this.#refusal(lacking)) };
    this.#challenge = { realm, scheme: challengeScheme(credentials) };
    this.#watches = new Watches({ now, onChange: (listener) => this.#truth.onChange(listener) });
  }

  resolve<Context = unknown>(requirement?: Requirement<AnyTerms, Context>): ResolvedRequirement<Context> {
    return resolveRequirement(requirement, this.#options.vocabulary);
  }

  check(request: GuardedRequest, requirement?: Requirement, context?: unknown): Verdict | Promise<Verdict> {
    const asked = { required: this.resolve(requirement), context };
    const body = this.#readsBody ? request.body?.() : undefined;
    return whenSettled(body, (read) => this.#decide(this.#readCredentials(request, read), request, asked));
  }

  watch(access: Access, onLost: (refusal: Refusal) => void, requirement?: Requirement, context?: unknown): Watch {
    if (GrantedAccess.tokenOf(access) === undefined)
      throw new TypeError('watch needs an access that a guard has granted');
    const asked = { required: this.resolve(requirement), context };
    return new WatchedAccess(access, {
      judge: (current) => this.#judgeAgain(current, asked),
      verify: (text) => this.#decide({ kind: 'token', token: text, mayBeForged: false }, {}, asked),
      refuse: (code) => this.#refusal({ code }),
      watches: this.#watches,
      onLost,
    });
  }

  ready(timeout = 30): Promise<void> {
    return becomeReady(this.#options.keys, this.#truth, timeout);
  }

  status(): GuardStatus {
    return this.#truth.status();
  }

  close(): Promise<void> {
    return this.#truth.close();
  }

  #openTruth(): Truth {
    const { changes, feed, keys, now } = this.#options;
    const expectNewKeys = (): void => {
      if ('expectNewKeys' in keys) keys.expectNewKeys?.();
    };
    const onKeysDead = (): void => {
      // With a key goes what was remembered of its tokens. They are refused from then on in any case.
      this.#verify = createVerifier(this.#options);
      // Another one signs from now on, and its tokens may come at once.
      expectNewKeys();
    };
    if (feed !== undefined) {
      return new FeedReplica({ ...this.#options, feed, onKeysDead, onLost: expectNewKeys }).start();
    }
    return changes === undefined ? new StatedTruth() : new Replica({ source: changes, now, onKeysDead });
  }

  #decide(credentials: Credentials, request: Pick<GuardedRequest, 'method'>, asked: Asked): Verdict | Promise<Verdict> {
    switch (credentials.kind) {
      case 'absent':
        return this.#decideStranger(request, asked.required);
      case 'malformed':
        return this.#refuse('invalid_request');
      case 'token':
        return whenSettled(this.#verify(credentials.token), (verification) =>
          this.#judge(verification, credentials, asked),
        );
    }
  }

  #decideStranger({ method }: Pick<GuardedRequest, 'method'>, { optional }: ResolvedRequirement): Verdict {
    const isPreflight = method === 'OPTIONS';
    if (optional || (isPreflight && this.#options.preflight === 'pass')) return { granted: true, access: undefined };
    return this.#refuse(isPreflight ? 'preflight_unanswered' : 'not_authenticated');
  }

  /** Only tokens with a good signature are judged, so strangers cannot make this process ask anybody about theirs. */
  #judge(verification: Verification, sent: SentToken, asked: Asked): Verdict | Promise<Verdict> {
    if (!verification.verified) return this.#refuse(verification.code, verification.cause);
    if (sent.mayBeForged) return this.#refuse('csrf_proof_missing');
    const { token } = verification;
    return this.#judgeToken({ token, text: sent.token }, asked);
  }

  #judgeToken(granted: GrantedToken, asked: Asked): Verdict | Promise<Verdict> {
    const { token, text } = granted;
    return whenSettled(this.#truth.judge(token, text, asked.required.maxStaleness), (judgement) =>
      this.#weigh(granted, judgement, asked),
    );
  }

  /** What was verified once stays so until it expires; whether the application has revoked it must be asked. */
  #judgeAgain(granted: GrantedToken, asked: Asked): Verdict | Promise<Verdict> {
    if (granted.token.claims.exp * milliseconds <= this.#options.now().getTime()) return this.#refuse('token_expired');
    if (this.#options.isRevoked === undefined) return this.#judgeToken(granted, asked);
    return this.#decide({ kind: 'token', token: granted.text, mayBeForged: false }, {}, asked);
  }

  #weigh(granted: GrantedToken, judgement: Judgement, { required, context }: Asked): Verdict | Promise<Verdict> {
    if (typeof judgement === 'string') return this.#refuse(judgement);
    if (judgement instanceof ChangesUnavailableError) return this.#refuse('temporarily_unavailable', judgement);
    const access = new GrantedAccess(granted, judgement, this.#grantor);
    const circumstances = { now: this.#options.now, context };
    return whenSettled(findShortfall(access, required, circumstances), (lacking): Verdict =>
      lacking === undefined ? { granted: true, access } : { granted: false, refusal: this.#refusal(lacking) },
    );
  }

  #refuse(code: RefusalCode, cause?: unknown): Verdict {
    if (code === 'temporarily_unavailable') this.#options.onUnavailable(cause);
    return { granted: false, refusal: this.#refusal({ code }) };
  }

  #refusal({ code, ...wanted }: Shortfall): Refusal {
    return createRefusal(code, { ...this.#challenge, ...wanted });
  }
}
