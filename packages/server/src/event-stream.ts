/** Responses that go on for as long as the client listens. */
const streams = new WeakSet<Response>();

/** Makes a response out of a stream that has no end of its own. */
export function createEventStream(
  body: ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>>,
): Response {
  const response = new Response(body, { headers });
  streams.add(response);
  return response;
}

/** Whether a response is such a stream. Its headers would tell as well, but asking any response for them costs as much as sending it. */
export function isEventStream(response: Response): boolean {
  return streams.has(response);
}
