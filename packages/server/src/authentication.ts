import type { Auth } from '@sallyport/auth';
import { type Access, type Refusal, type Requirement, createGuard } from '@sallyport/guard';

/** Thrown when the guard refuses a request. Carries the answer, ready to be sent as it is. */
export class GuardRefusal extends Error {
  override readonly name = 'GuardRefusal';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal.body.code, options);
    this.refusal = refusal;
  }
}

/** Gives the verified bearer of a request, or throws a {@link GuardRefusal}. */
export type Authenticate = (request: Request, requirement?: Requirement) => Promise<Access>;

/** Protects this server's own routes by the guard any resource server uses, reading the engine's change log directly. */
export function createAuthentication(auth: Auth): Authenticate {
  let unavailable: unknown;
  const guard = createGuard({
    issuer: auth.issuer,
    audience: auth.audience,
    keys: auth.keys.source,
    changes: auth.changes,
    now: auth.now,
    // The guard tells why without saying to whom. Requests refused at the same moment are refused for the same outage.
    onUnavailable: (cause) => {
      unavailable = cause;
    },
  });
  return async (request, requirement) => {
    const line = request.headers.get('authorization');
    const { pathname, search } = new URL(request.url);
    // Fetch joins repeated header lines with a comma, which no bearer token contains: two lines stay refusable as one.
    const verdict = await guard.check(
      { authorization: line === null ? [] : [line], target: pathname + search },
      requirement,
    );
    if (!verdict.granted) {
      throw new GuardRefusal(verdict.refusal, verdict.refusal.status === 503 ? { cause: unavailable } : {});
    }
    if (verdict.access === undefined) throw new TypeError('A route of this server must not make its guard optional');
    return verdict.access;
  };
}
