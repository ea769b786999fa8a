import type { AccessTokenClaims } from '@sallyport/jwt';
import { type Access, createAccess } from './access.ts';
import { type GuardedRequest, readCredentials } from './credentials.ts';
import { type GuardOptions, type ResolvedGuardOptions, resolveGuardOptions } from './guard-options.ts';
import { createRefusal, type Refusal, type RefusalCode } from './refusal.ts';
import { type AccessToken, ChangesUnavailableError, Replica } from './replica/replica.ts';
import { findShortfall, type Requirement, type ResolvedRequirement, resolveRequirement } from './requirement.ts';
import { type Rights, statedRights } from './rights.ts';
import { createVerifier, type Verification, type Verifier } from './verification.ts';

/** What a guard makes of a request. `access` is `undefined` only where the requirement says `optional`. */
export type Verdict =
  | { readonly granted: true; readonly access: Access | undefined }
  | { readonly granted: false; readonly refusal: Refusal };

/** Decides who may pass. Knows no framework: an adapter hands it the request and acts on the verdict. */
export interface Guard {
  /**
   * Decides one request.
   *
   * Never throws for a bad token, and never grants or refuses because something broke: sources that are down make a
   * 503 refusal, anything unexpected throws or rejects. Synchronous when the keys are at hand and the guard has no
   * change source, else a promise: `await` suits both.
   *
   * @throws {TypeError} when the requirement is misspelt; see {@link resolveRequirement}.
   */
  check(request: GuardedRequest, requirement?: Requirement): Verdict | Promise<Verdict>;
}

/**
 * Creates a guard that accepts one issuer's access tokens on behalf of one audience.
 *
 * Checks the signature, `typ`, `iss`, `aud`, `exp`, `nbf` and the route's requirement. Does **not** know of
 * revocations and role changes unless `changes` is given, and does **not** read tokens from query, body or cookies.
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
export function createGuard(options: GuardOptions): Guard {
  return new BearerGuard(resolveGuardOptions(options));
}

class BearerGuard implements Guard {
  readonly #options: ResolvedGuardOptions;
  readonly #verify: Verifier;
  readonly #replica: Replica | undefined;

  constructor(options: ResolvedGuardOptions) {
    this.#options = options;
    this.#verify = createVerifier(options);
    this.#replica = options.changes && new Replica({ source: options.changes, now: options.now });
  }

  check(request: GuardedRequest, requirement?: Requirement): Verdict | Promise<Verdict> {
    const required = resolveRequirement(requirement);
    const credentials = readCredentials(request);
    switch (credentials.kind) {
      case 'absent':
        return required.optional ? { granted: true, access: undefined } : this.#refuse('not_authenticated');
      case 'malformed':
        return this.#refuse('invalid_request');
      case 'bearer': {
        const verification = this.#verify(credentials.token);
        return verification instanceof Promise
          ? verification.then((settled) => this.#judge(settled, required))
          : this.#judge(verification, required);
      }
    }
  }

  #judge(verification: Verification, required: ResolvedRequirement): Verdict | Promise<Verdict> {
    if (!verification.verified) return this.#refuse(verification.code, verification.cause);
    const { token } = verification;
    return this.#replica === undefined
      ? this.#weigh(token.claims, statedRights(token.claims), required)
      : this.#judgeLive(this.#replica, token, required);
  }

  /** Only tokens with a good signature come here, so strangers cannot make this process read the change log. */
  async #judgeLive(replica: Replica, token: AccessToken, required: ResolvedRequirement): Promise<Verdict> {
    try {
      await replica.refresh();
    } catch (error) {
      if (error instanceof ChangesUnavailableError) return this.#refuse('temporarily_unavailable', error);
      throw error;
    }
    const revocation = replica.findRevocation(token);
    return revocation === undefined
      ? this.#weigh(token.claims, replica.rightsOf(token.claims), required)
      : this.#refuse(revocation);
  }

  #weigh(claims: AccessTokenClaims, rights: Rights, required: ResolvedRequirement): Verdict {
    const access = createAccess(claims, rights);
    const shortfall = findShortfall(access, required);
    if (shortfall === undefined) return { granted: true, access };
    return { granted: false, refusal: createRefusal(shortfall, this.#options.realm, required.scope) };
  }

  #refuse(code: RefusalCode, cause?: unknown): Verdict {
    if (code === 'temporarily_unavailable') this.#options.onUnavailable(cause);
    return { granted: false, refusal: createRefusal(code, this.#options.realm) };
  }
}
