const PREFLIGHT_SECONDS = 600;

/** Answers and marks requests that scripts of other origins send. */
export interface Cors {
  /** The answer to a preflight request from an allowed origin; `undefined` for anything else. */
  answerPreflight(request: Request, methods: readonly string[]): Response | undefined;
  /** Lets an allowed origin read the response. */
  mark(request: Request, headers: Headers): void;
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
    answerPreflight: (request, methods) =>
      isPreflight(request) && allowedOrigin(request) !== undefined
        ? new Response(null, {
            status: 204,
            headers: {
              'access-control-allow-methods': methods.join(', '),
              'access-control-allow-headers':
                'Authorization, Content-Type, X-CSRF-Token, X-Request-Id, X-Requested-With',
              'access-control-max-age': String(PREFLIGHT_SECONDS),
            },
          })
        : undefined,
    mark: (request, headers) => {
      // Caches must keep the answers for different origins apart, those for none included.
      if (allowed.size > 0) headers.append('vary', 'Origin');
      const origin = allowedOrigin(request);
      if (origin === undefined) return;
      headers.set('access-control-allow-origin', origin);
      headers.set('access-control-allow-credentials', 'true');
      headers.set('access-control-expose-headers', 'WWW-Authenticate, Retry-After, X-Request-Id');
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
