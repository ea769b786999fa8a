import type { AnswerHeaders } from './exchange.ts';

const PREFLIGHT_SECONDS = 600;

/** Answers and marks requests that scripts of other origins send. */
export interface Cors {
  /** The answer to a preflight request from an allowed origin, besides `headers`; `undefined` for anything else. */
  answerPreflight(request: Request, methods: readonly string[], headers: AnswerHeaders): Response | undefined;
  /** What lets an allowed origin read the response. */
  headersFor(request: Request): AnswerHeaders;
}

/**
 * Creates the rules for the origins that may call this server from a browser.
 *
 * Origins are compared exactly. Their pages may send the cookies of whoever is signed in and read what is answered, like
 * pages of this server: browsers send them along within one site only (`SameSite`).
 *
 * @throws {TypeError} naming each entry that is not an exact origin, `*` included
 * @see {@link https://fetch.spec.whatwg.org/#http-cors-protocol Fetch, section 3.3}
 */
export function createCors(origins: readonly string[]): Cors {
  const wrong = origins.filter((origin) => !isOrigin(origin));
  if (wrong.length > 0) {
    throw new TypeError(
      `corsOrigins takes exact origins such as "https://app.example.com", not ${wrong.map((origin) => JSON.stringify(origin)).join(', ')}`,
    );
  }
  const allowed: ReadonlySet<string> = new Set(origins);
  const allowedOrigin = (request: Request): string | undefined => {
    const origin = request.headers.get('origin');
    return origin !== null && allowed.has(origin) ? origin : undefined;
  };
  return {
    answerPreflight: (request, methods, headers) =>
      isPreflight(request) && allowedOrigin(request) !== undefined
        ? new Response(null, {
            status: 204,
            headers: {
              ...headers,
              'access-control-allow-methods': methods.join(', '),
              'access-control-allow-headers':
                'Authorization, Content-Type, X-CSRF-Token, X-Request-Id, X-Requested-With',
              'access-control-max-age': String(PREFLIGHT_SECONDS),
            },
          })
        : undefined,
    headersFor: (request) => {
      if (allowed.size === 0) return {};
      const origin = allowedOrigin(request);
      return {
        // Caches must keep the answers for different origins apart, those for none included.
        vary: 'Origin',
        ...(origin !== undefined && {
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': 'WWW-Authenticate, Retry-After, X-Request-Id',
        }),
      };
    },
  };
}

function isPreflight(request: Request): boolean {
  return request.method === 'OPTIONS' && request.headers.has('access-control-request-method');
}

function isOrigin(text: string): boolean {
  // `null` is what sandboxed frames and redirects send: anybody can make their request carry it.
  return URL.canParse(text) && new URL(text).origin === text && text !== 'null';
}
