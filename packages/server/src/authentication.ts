import type { Auth } from '@sallyport/auth';
import {
  type Access,
  type CookieSource,
  createGuard,
  fetchRequest,
  type Refusal,
  type Requirement,
} from '@sallyport/guard';

/** Thrown when the guard refuses a request. Carries the answer, ready to be sent as it is. */
export class GuardRefusal extends Error {
  override readonly name = 'GuardRefusal';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal.body.code, options);
    this.refusal = refusal;
  }
}

/** Gives the verified caller of a request, or throws a {@link GuardRefusal}. */
export type Authenticate = (request: Request, requirement?: Requirement) => Promise<Access>;

/**
 * Protects this server's own routes by the guard any resource server uses, reading the engine's change log directly.
 *
 * A bearer token is somebody's intention, a cookie only comes along: with both, the bearer token counts.
 */
export function createAuthentication(auth: Auth, cookie: CookieSource): Authenticate {
  let unavailable: unknown;
  const guard = createGuard({
    issuer: auth.issuer,
    audience: auth.audience,
    keys: auth.keys.source,
    changes: auth.changes,
    now: auth.now,
    credentials: [{ in: 'header' }, cookie],
    severalCredentials: 'first-match',
    // The guard tells why without saying to whom. Requests refused at the same moment are refused for the same outage.
    onUnavailable: (cause) => {
      unavailable = cause;
    },
  });
  return async (request, requirement) => {
    const verdict = await guard.check(fetchRequest(request), requirement);
    if (!verdict.granted) {
      throw new GuardRefusal(verdict.refusal, verdict.refusal.status === 503 ? { cause: unavailable } : {});
    }
    if (verdict.access === undefined) throw new TypeError('A route of this server must not make its guard optional');
    return verdict.access;
  };
}
