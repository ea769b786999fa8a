/** What is known of a request besides the request. */
export interface RequestInfo {
  /** The client's address, already read through trusted proxies. Default: unknown. */
  readonly address?: string | undefined;
  /** The id to log the request under. Default: the caller's `X-Request-Id`, else a random one. */
  readonly requestId?: string | undefined;
  /** The path the handler is mounted below (`/auth`), which the request's URL lacks. Default: unknown. */
  readonly basePath?: string | undefined;
  /** What was sent when it makes no URL, so that the request's URL is a stand-in: the answer is 400. Default: it does. */
  readonly unreadable?: UnreadableTarget | undefined;
}

/** The beginning of a request that was none. */
export interface UnreadableTarget {
  readonly method: string;
  readonly target: string;
}

/** Headers of an answer, their names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** What one request gathers on its way through the routes. */
export interface Exchange {
  readonly requestId: string;
  readonly info: RequestInfo;
  /** What every answer to this request carries, whatever it is: known before, so that each answer is made in one go. */
  readonly headers: AnswerHeaders;
  /** The verified caller, once the guard has granted the request: for the log. */
  subject: string | undefined;
  /** Whether the request comes as a matter of course, over and over. */
  isRoutine: boolean;
  /** The `Set-Cookie` lines of the answer, whatever it is. */
  setCookies: readonly string[];
}
