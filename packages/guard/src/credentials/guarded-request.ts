/** What a guard needs to know of a request: nothing framework-shaped. */
export interface GuardedRequest {
  /** Every `Authorization` header line received, in order. None: an empty list. */
  readonly authorization: readonly string[];
  /** The method, in capitals. Default: unknown, and so taken for one that changes something. */
  readonly method?: string;
  /**
   * The request target (`/todos?page=2`), so that a token sent twice, in the header and in the query, is refused.
   * A token in the query alone is read only by guards told to. Default: not looked at.
   */
  readonly target?: string;
  /** Every line of another header, by its name in lower case. Default: the request has no other header. */
  readonly header?: (name: string) => readonly string[];
  /** The parsed body, or a promise of it; asked only by guards that read tokens from a body. Default: none. */
  readonly body?: () => unknown;
}

/** What a request of `node:http` and of the frameworks on it has. */
export interface NodeRequest {
  readonly rawHeaders: readonly string[];
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** What a `Request` of the Fetch standard has. */
export interface FetchRequest {
  readonly headers: { get(name: string): string | null };
  readonly method: string;
  readonly url: string;
}

/** What a framework knows better than the request it was given. */
export interface RequestDetails {
  /** The target as it was received, where a framework rewrites `url`. Default: `url`. */
  readonly target?: string;
  /** The parsed body. Default: none. */
  readonly body?: () => unknown;
}

/**
 * Reads a request of `node:http`, and of every framework built on it, for a guard.
 *
 * Sees each line of a header: Node's `request.headers` hides all but the first `Authorization`.
 *
 * @example
 * import type { IncomingMessage } from 'node:http';
 * import { type Guard, nodeRequest, type Verdict } from '@sallyport/guard';
 *
 * const check = async (guard: Guard, request: IncomingMessage): Promise<Verdict> => guard.check(nodeRequest(request));
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110.html#section-11.6.2 RFC 9110, section 11.6.2}
 */
export function nodeRequest(request: NodeRequest, details: RequestDetails = {}): GuardedRequest {
  const { method, rawHeaders } = request;
  const { target = request.url, body } = details;
  // Every request passes here: spreading what may be absent takes twice as long.
  const guarded: { -readonly [Member in keyof GuardedRequest]: GuardedRequest[Member] } = {
    authorization: rawHeaderLines(rawHeaders, 'authorization'),
    header: (name) => rawHeaderLines(rawHeaders, name),
  };
  if (method !== undefined) guarded.method = method;
  if (target !== undefined) guarded.target = target;
  if (body !== undefined) guarded.body = body;
  return guarded;
}

/**
 * Reads a `Request` of the Fetch standard for a guard.
 *
 * @example
 * import { fetchRequest, type Guard, type Verdict } from '@sallyport/guard';
 *
 * const check = async (guard: Guard, request: Request): Promise<Verdict> => guard.check(fetchRequest(request));
 *
 * @see {@link https://fetch.spec.whatwg.org/#request-class Fetch, section 5.4}
 */
export function fetchRequest(request: FetchRequest, { target, body }: RequestDetails = {}): GuardedRequest {
  const lines = (name: string): readonly string[] => {
    const joined = request.headers.get(name);
    return joined === null ? [] : [joined];
  };
  return {
    authorization: lines('authorization').flatMap((joined) => joined.split(betweenSchemes)),
    method: request.method,
    target: target ?? request.url,
    header: lines,
    ...(body === undefined ? {} : { body }),
  };
}

// Fetch joins repeated lines by comma and space. Only a scheme is followed by a space; a parameter is by an equals sign.
const betweenSchemes = /, (?=[\w!#$%&'*+.^`|~-]+(?:\s|$))/;

function rawHeaderLines(rawHeaders: readonly string[], name: string): readonly string[] {
  const lines: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const found = rawHeaders[index] ?? '';
    if (found.length === name.length && found.toLowerCase() === name) lines.push(rawHeaders[index + 1] ?? '');
  }
  return lines;
}

/** Every line of a header, by its name in lower case. */
export function headerLines(request: GuardedRequest, name: string): readonly string[] {
  return request.header?.(name) ?? [];
}

/** A header's value; of several lines all, so that none of them is mistaken for the only one. */
export function headerValue(request: GuardedRequest, name: string): string | undefined {
  const lines = headerLines(request, name);
  return lines.length === 0 ? undefined : lines.join(', ');
}
