import { algorithms, isAlgorithm, type Algorithm } from './algorithms.ts';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { JwtError } from './errors.ts';
import { isJsonObject, readStrictJson, type JsonObject } from './json.ts';
import { keyMaterial, type JwtKey } from './key.ts';

/** The parts of a compact JWS whose header has been read and whose signature has not been checked. */
export interface CompactJws<Header = JwtHeader> {
  readonly header: Header;
  /** The ASCII text the signature covers. */
  readonly signingInput: string;
  /** The payload, still encoded. */
  readonly payload: string;
  readonly signature: Buffer;
}

/**
 * The protected header of a token, after validation.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515.html#section-4.1 RFC 7515, section 4.1}
 */
export interface JwtHeader {
  readonly alg: Algorithm;
  readonly typ?: string;
  readonly kid?: string;
  readonly [name: string]: unknown;
}

/** Splits a compact JWS and reads its header; checks neither the signature nor what the header says. */
export function parseJws(token: string, maximum: number): CompactJws<JsonObject> {
  if (typeof token !== 'string') throw malformed();
  if (token.length > maximum) throw new JwtError('token_too_large', { length: token.length, maximum });
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first < 1 || second === first + 1 || second === -1 || second === token.length - 1) throw malformed();
  // A third dot is not in the base64url alphabet, so decoding the signature refuses it.
  const signature = decodeBase64url(token.slice(second + 1));
  if (signature === undefined) throw malformed();
  return {
    header: readJsonPart(token.slice(0, first)),
    signingInput: token.slice(0, second),
    payload: token.slice(first + 1, second),
    signature,
  };
}

/** Validates the protected header: an algorithm we know, parameters of the right type, no extension. */
export function validateHeader(header: JsonObject): JwtHeader {
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string') throw malformed();
  if (!isAlgorithm(alg)) throw new JwtError('algorithm_not_allowed', { algorithm: undefined });
  if (Object.hasOwn(header, 'typ') && typeof typ !== 'string') throw malformed();
  if (Object.hasOwn(header, 'kid') && typeof kid !== 'string') throw malformed();
  // RFC 7515, section 4.1.11 and RFC 7797, section 7: no extension is understood here, and none is ignored.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64'))
    throw new JwtError('critical_header_unsupported', {});
  return header as JwtHeader;
}

/** Checks the signature with a key already chosen for it. */
export function verifySignature(jws: CompactJws, key: JwtKey): void {
  const { verifying } = keyMaterial(key);
  const isValid = algorithms[key.algorithm].verify(jws.signingInput, jws.signature, verifying);
  if (!isValid) throw new JwtError('signature_invalid', {});
}

/** Decodes one part of a token into the JSON object it must hold. */
export function readJsonPart(part: string): JsonObject {
  const bytes = decodeBase64url(part);
  const outcome = bytes === undefined ? undefined : readStrictJson(bytes);
  if (outcome === undefined || 'refusal' in outcome || !isJsonObject(outcome.value)) throw malformed();
  return outcome.value;
}

/** Signs a header and a payload into a compact JWS. */
export function signJws(header: JwtHeader, payload: JsonObject, key: JwtKey): string {
  const { signing } = keyMaterial(key);
  if (signing === undefined) throw new JwtError('key_invalid', { reason: 'a public key cannot sign' });
  const signingInput = `${encodeJson(header)}.${encodeJson(payload)}`;
  return `${signingInput}.${encodeBase64url(algorithms[key.algorithm].sign(signingInput, signing))}`;
}

function encodeJson(value: JsonObject | JwtHeader): string {
  return encodeBase64url(JSON.stringify(value));
}

function malformed(): JwtError<'token_malformed'> {
  return new JwtError('token_malformed', {});
}
