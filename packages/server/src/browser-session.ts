import type { Auth, TokenPair } from '@sallyport/auth';
import { fetchRequest, type PresentedSession, type SessionCookies } from '@sallyport/guard';
import type { Exchange } from './exchange.ts';
import { HttpError } from './http-error.ts';

/** The session that the browser behind one request keeps in cookies. */
export class BrowserSession {
  readonly #auth: Auth;
  readonly #cookies: SessionCookies;
  readonly #request: Request;
  readonly #exchange: Exchange;

  constructor(auth: Auth, cookies: SessionCookies, request: Request, exchange: Exchange) {
    this.#auth = auth;
    this.#cookies = cookies;
    this.#request = request;
    this.#exchange = exchange;
  }

  /** The refresh token that came along, if exactly one did. */
  get refreshToken(): string | undefined {
    return this.#presented.refreshToken;
  }

  /** Whether the guard, where it granted the request, went by the cookie: it believes a bearer token first. */
  get isCredential(): boolean {
    return !carriesBearer(this.#request);
  }

  /** @throws {HttpError} `csrf_proof_missing` when another site may have caused the request */
  requireOwnPage(): void {
    if (this.#presented.mayBeForged) throw new HttpError('csrf_proof_missing', { proof: 'csrf_token' });
  }

  /** @throws {HttpError} `csrf_proof_missing` when another site may have caused the sign-in */
  requireOwnSignIn(): void {
    if (this.#cookies.signInMayBeForged(fetchRequest(this.#request))) {
      throw new HttpError('csrf_proof_missing', { proof: 'json' });
    }
  }

  /** Ends the session that came along, by whichever of its tokens is still there, dead or alive. */
  async end(): Promise<void> {
    const { refreshToken, accessToken } = this.#presented;
    for (const token of [refreshToken, accessToken]) if (token !== undefined) await this.#auth.revoke(token);
  }

  /** Lets the browser keep these tokens. */
  keep(tokens: TokenPair): void {
    this.#exchange.setCookies = this.#cookies.set(tokens);
  }

  /** Takes from the browser whatever it keeps. */
  forget(): void {
    this.#exchange.setCookies = this.#cookies.clear();
  }

  get #presented(): PresentedSession {
    return this.#cookies.read(fetchRequest(this.#request));
  }
}

/** Whether a request says that it brings a bearer token, well formed or not. */
export function carriesBearer(request: Request): boolean {
  return /(?:^|, )bearer(?:\s|,|$)/i.test(request.headers.get('authorization') ?? '');
}
