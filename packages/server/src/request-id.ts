import { randomUUID } from 'node:crypto';

const ACCEPTABLE = /^[A-Za-z0-9_-]{1,64}$/;

/** The request id the caller sent in `X-Request-Id`, when it is harmless in a log line, else a new random one. */
export function chooseRequestId(headers: Headers): string {
  const sent = headers.get('x-request-id');
  return sent !== null && ACCEPTABLE.test(sent) ? sent : randomUUID();
}
