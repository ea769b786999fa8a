import type { AccessTokenClaims } from '@sallyport/jwt';
import type { Access, AnyTerms, Requirement, Terms } from './access.ts';
import { AccessRefusedError } from './access-refused-error.ts';
import { createCredentialsReader, type Credentials, type CredentialsReader } from './credentials/credentials.ts';
import type { GuardedRequest } from './credentials/guarded-request.ts';
import { createAccess, type Grantor } from './granted-access.ts';
import { type GuardOptions, type ResolvedGuardOptions, resolveGuardOptions } from './guard-options.ts';
import { type ChallengeContent, createRefusal, type Refusal, type RefusalCode } from './refusal.ts';
import { challengeScheme, readsBody } from './credentials/credential-source.ts';
import { ChangesUnavailableError, Replica } from './replica/replica.ts';
import { findShortfall, type ResolvedRequirement, resolveRequirement } from './requirement.ts';
import { type Rights, statedRights } from './rights.ts';
import type { Shortfall } from './rules.ts';
import { whenSettled } from './settled.ts';
import { createVerifier, type Verification, type VerifiedToken, type Verifier } from './verification.ts';

/** What a guard makes of a request. `access` is `undefined` only where the requirement says `optional`. */
export type Verdict<Words extends Terms = AnyTerms> =
  | { readonly granted: true; readonly access: Access<Words> | undefined }
  | { readonly granted: false; readonly refusal: Refusal };

/** Decides who may pass. Knows no framework: an adapter hands it the request and acts on the verdict. */
export interface Guard<Words extends Terms = AnyTerms> {
  /**
   * Decides one request. `context` is what a policy of the requirement is given beside the access.
   *
   * Never throws for a bad token, and never grants or refuses because something broke: sources that are down make a
   * 503 refusal, anything unexpected throws or rejects. Synchronous when the keys are at hand, the guard has no
   * change source and no policy or body is waited for, else a promise: `await` suits both.
   *
   * @throws {TypeError} when the requirement is misspelt; see {@link Guard.resolve}.
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
 * revocations and role changes unless `changes` is given, and reads tokens from query, body or cookies only where
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
  // What the types promise of claims and names is what the schema and the lists in the options hold at run time.
  return new TokenGuard(resolveGuardOptions(options)) as Guard<WordsOf<Claims, Scope, Role>>;
}

/** What a request is held against. */
interface Asked {
  readonly required: ResolvedRequirement;
  readonly context: unknown;
}

class TokenGuard implements Guard {
  readonly #options: ResolvedGuardOptions;
  readonly #readCredentials: CredentialsReader;
  readonly #readsBody: boolean;
  readonly #verify: Verifier;
  readonly #replica: Replica | undefined;
  readonly #grantor: Grantor;
  readonly #challenge: ChallengeContent;

  constructor(options: ResolvedGuardOptions) {
    const { credentials, severalCredentials, vocabulary, realm, changes, now } = options;
    this.#options = options;
    this.#readCredentials = createCredentialsReader(credentials, severalCredentials);
    this.#readsBody = credentials.some(readsBody);
    this.#verify = createVerifier(options);
    this.#replica = changes && new Replica({ source: changes, now });
    this.#grantor = { vocabulary, now, refused: (lacking) => new AccessRefusedError(this.#refusal(lacking)) };
    this.#challenge = { realm, scheme: challengeScheme(credentials) };
  }

  resolve<Context = unknown>(requirement?: Requirement<AnyTerms, Context>): ResolvedRequirement<Context> {
    return resolveRequirement(requirement, this.#options.vocabulary);
  }

  check(request: GuardedRequest, requirement?: Requirement, context?: unknown): Verdict | Promise<Verdict> {
    const asked = { required: this.resolve(requirement), context };
    const body = this.#readsBody ? request.body?.() : undefined;
    return whenSettled(body, (read) => this.#decide(this.#readCredentials(request, read), request, asked));
  }

  #decide(credentials: Credentials, request: GuardedRequest, asked: Asked): Verdict | Promise<Verdict> {
    switch (credentials.kind) {
      case 'absent':
        return this.#decideStranger(request, asked.required);
      case 'malformed':
        return this.#refuse('invalid_request');
      case 'token':
        return whenSettled(this.#verify(credentials.token), (verification) =>
          this.#judge(verification, credentials.mayBeForged, asked),
        );
    }
  }

  #decideStranger({ method }: GuardedRequest, { optional }: ResolvedRequirement): Verdict {
    const isPreflight = method === 'OPTIONS';
    if (optional || (isPreflight && this.#options.preflight === 'pass')) return { granted: true, access: undefined };
    return this.#refuse(isPreflight ? 'preflight_unanswered' : 'not_authenticated');
  }

  #judge(verification: Verification, mayBeForged: boolean, asked: Asked): Verdict | Promise<Verdict> {
    if (!verification.verified) return this.#refuse(verification.code, verification.cause);
    if (mayBeForged) return this.#refuse('csrf_proof_missing');
    const { token } = verification;
    return this.#replica === undefined
      ? this.#weigh(token, statedRights(token.claims), asked)
      : this.#judgeLive(this.#replica, token, asked);
  }

  /** Only tokens with a good signature come here, so strangers cannot make this process read the change log. */
  async #judgeLive(replica: Replica, token: VerifiedToken, asked: Asked): Promise<Verdict> {
    try {
      await replica.refresh();
    } catch (error) {
      if (error instanceof ChangesUnavailableError) return this.#refuse('temporarily_unavailable', error);
      throw error;
    }
    const revocation = replica.findRevocation(token);
    return revocation === undefined
      ? this.#weigh(token, replica.rightsOf(token.claims), asked)
      : this.#refuse(revocation);
  }

  #weigh(token: VerifiedToken, rights: Rights, { required, context }: Asked): Verdict | Promise<Verdict> {
    const access = createAccess(token, rights, this.#grantor);
    const circumstances = { now: this.#options.now(), context };
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
