import { parseStrictJson } from '@sallyport/jwt';
import { parseForm } from './form.ts';
import { HttpError } from './http-error.ts';

const LIMIT_BYTES = 64 * 1024;

/** A media type in which operations can read their body. */
export type BodyMediaType = 'application/json' | 'application/x-www-form-urlencoded';

/** How each media type becomes an object. Which of them an operation reads stands in its definition. */
const parsers: Readonly<Record<BodyMediaType, (bytes: Uint8Array) => object>> = {
  'application/json': parseJsonObject,
  'application/x-www-form-urlencoded': (bytes) => parseForm(decodeUtf8(bytes), 'body_malformed'),
};

/**
 * Reads a request's body into an object, at most 64 KiB of it; `undefined` when there is none.
 *
 * JSON is strict (no repeated members, valid UTF-8), and so is form data. Does **not** check the fields.
 *
 * @throws {HttpError} `body_malformed`, `body_too_large`, `media_type_unsupported`
 */
export async function readBody(request: Request, accepted: readonly BodyMediaType[]): Promise<object | undefined> {
  const bytes = await readBytes(request);
  if (bytes.byteLength === 0) return undefined;
  return parsers[requireMediaType(request.headers, accepted)](bytes);
}

/**
 * Tells which of some media types a body has.
 *
 * @throws {HttpError} `media_type_unsupported`
 */
export function requireMediaType<MediaType extends string>(
  headers: Headers,
  accepted: readonly MediaType[],
): MediaType {
  const mediaType = findMediaType(headers, accepted);
  if (mediaType === undefined) throw new HttpError('media_type_unsupported', { accepted });
  return mediaType;
}

/**
 * Refuses a request with a body where none is read: its fields would all be unknown.
 *
 * @throws {HttpError} `body_malformed`
 */
export async function requireNoBody(request: Request): Promise<undefined> {
  // Fetch has no bodies there, and asking would make the whole request of what Node received.
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  for await (const chunk of arriving(request)) {
    if (chunk.byteLength > 0) throw new HttpError('body_malformed', { reason: 'This operation takes no body' });
  }
  return undefined;
}

function readBytes(request: Request): Promise<Uint8Array> {
  const announced = request.headers.get('content-length');
  if (Number(announced) > LIMIT_BYTES) throw new HttpError('body_too_large', {});
  return announced === null ? readUnannounced(request) : readAnnounced(request);
}

/** In one piece: a stream costs several times as much, and no more can come than was announced. */
async function readAnnounced(request: Request): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer().catch(notWhole));
  // Where the announcement is another runtime's, nothing is taken on trust.
  if (bytes.byteLength > LIMIT_BYTES) throw new HttpError('body_too_large', {});
  return bytes;
}

async function readUnannounced(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of arriving(request)) {
    size += chunk.byteLength;
    if (size > LIMIT_BYTES) throw new HttpError('body_too_large', {});
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * The chunks of a body. A client that hangs up or breaks its chunks is at fault, not this server.
 *
 * @throws {HttpError} `body_malformed`
 */
export async function* arriving(request: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* request.body ?? [];
  } catch (cause) {
    notWhole(cause);
  }
}

function notWhole(cause: unknown): never {
  throw new HttpError('body_malformed', { reason: 'The body did not arrive whole' }, { cause });
}

function findMediaType<MediaType extends string>(
  headers: Headers,
  accepted: readonly MediaType[],
): MediaType | undefined {
  const [essence = '', ...parameters] = (headers.get('content-type') ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const readable = parameters.every(
    (parameter) => !parameter.startsWith('charset=') || /^charset="?utf-?8"?$/.test(parameter),
  );
  const plain = ['', 'identity'].includes(headers.get('content-encoding') ?? '');
  return readable && plain ? accepted.find((mediaType) => mediaType === essence) : undefined;
}

/**
 * Reads one JSON object, strictly: valid UTF-8, no repeated members.
 *
 * @throws {HttpError} `body_malformed`
 */
export function parseJsonObject(bytes: Uint8Array): object {
  const value = parseJson(bytes);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new HttpError('body_malformed', { reason: 'The body must be one JSON object' });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    throw new HttpError('body_malformed', { reason: 'The body is not valid JSON, or repeats a member' }, { cause });
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new HttpError('body_malformed', { reason: 'The body is not valid UTF-8' }, { cause });
  }
}
