import { JwtError, type KeysRefusal } from './errors.ts';
import { isJsonObject, readStrictJson, type JsonObject } from './json.ts';

/** How documents are fetched. */
export interface FetchLimits {
  readonly fetch: typeof fetch;
  /** Ends every request and every body it is given to. */
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

/** Fetches one JSON object: no redirects, bounded time and size. */
export async function fetchJsonDocument(url: URL, limits: FetchLimits): Promise<JsonObject> {
  const outcome = readStrictJson(await fetchBytes(url, limits));
  if ('refusal' in outcome || !isJsonObject(outcome.value)) throw unavailable('content');
  return outcome.value;
}

/** Accepts an https URL; http only on the loopback interface, where nobody listens in. */
export function trustedUrl(url: string | URL): URL {
  const parsed = new URL(url);
  const isTrusted = parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLoopback(parsed));
  if (!isTrusted) throw new TypeError('The URL of keys must be https (or http on loopback)');
  if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') {
    throw new TypeError('The URL of keys must have no user name, password or fragment');
  }
  return parsed;
}

/** A `keys_unavailable` error. */
export function unavailable(reason: KeysRefusal, cause?: unknown): JwtError<'keys_unavailable'> {
  return new JwtError('keys_unavailable', { reason }, cause === undefined ? undefined : { cause });
}

async function fetchBytes(url: URL, { fetch, signal, maxBytes }: FetchLimits): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } });
    if (response.status === 200) return await readBody(response, maxBytes);
    await response.body?.cancel();
  } catch (error) {
    if (error instanceof JwtError) throw error;
    throw unavailable(signal.aborted ? 'timeout' : 'network', error);
  }
  throw unavailable('status');
}

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw unavailable('size'); // leaving the loop cancels the body
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
