import type { Refusal } from './refusal.ts';

/**
 * Thrown inside a handler by {@link Access.demand} when the caller does not meet a demand.
 *
 * Carries the refusal in every way in which the frameworks look for one, so that they answer its status and headers
 * by themselves.
 */
export class AccessRefusedError extends Error {
  override readonly name = 'AccessRefusedError';
  /** The answer, whole. */
  readonly refusal: Refusal;
  readonly status: number;
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The message is fit for the caller. */
  readonly expose = true;

  constructor(refusal: Refusal) {
    super(refusal.body.detail);
    this.refusal = refusal;
    this.status = refusal.status;
    this.statusCode = refusal.status;
    this.headers = refusal.headers;
  }

  /** The answer as a `Response` of the Fetch standard. */
  getResponse(): Response {
    const { status, headers, body } = this.refusal;
    return Response.json(body, { status, headers });
  }
}
