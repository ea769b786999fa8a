import { isAlgorithm, type Algorithm } from './algorithms.ts';
import { decodeBase64url, decodeBase64urlText, encodeBase64url } from './base64url.ts';
import { JwtError } from './errors.ts';
import { Fault, faults, type Verdict } from './fault.ts';
import { isJsonObject, readJsonText, type JsonObject } from './json.ts';
import { keyMaterial, type JwtKey } from './key.ts';

/** The parts of a compact JWS, all still encoded; nothing about them has been checked. */
export interface CompactJws {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  /** The text the signature covers. */
  readonly signingInput: string;
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

/** RFC 4648, section 5, without padding. */
const base64urlAlphabet = /^[\w-]*$/;

/** Splits a compact JWS into three parts; neither payload nor signature are empty. */
export function splitJws(token: string, maximum: number): Verdict<CompactJws> {
  if (typeof token !== 'string') return faults.malformed;
  if (token.length > maximum) return new Fault('token_too_large', { length: token.length, maximum });
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  // A third dot is not in the base64url alphabet, so it is refused with the signature; an empty header is no JSON.
  if (second <= first + 1 || second === token.length - 1) return faults.malformed;
  return {
    header: token.slice(0, first),
    payload: token.slice(first + 1, second),
    signature: token.slice(second + 1),
    signingInput: token.slice(0, second),
  };
}

/** Reads a protected header: an algorithm we know, parameters of the right type, no extension. */
export function readHeader(encoded: string): Verdict<JwtHeader> {
  const text = decodeObjectText(encoded);
  if (text === undefined) return faults.malformed;
  const header = withoutStackTraces(() => readJsonObject(text));
  if (header instanceof Fault) return header;
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string') return faults.malformed;
  if (!isAlgorithm(alg)) return new Fault('algorithm_not_allowed', { algorithm: undefined });
  if (Object.hasOwn(header, 'typ') && typeof typ !== 'string') return faults.malformed;
  if (Object.hasOwn(header, 'kid') && typeof kid !== 'string') return faults.malformed;
  // RFC 7515, section 4.1.11 and RFC 7797, section 7: no extension is understood here, and none is ignored.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return faults.critical;
  return header as JwtHeader;
}

/** Anybody can send a header that is no JSON, and half the price of refusing it would be the trace of an error nobody sees. */
function withoutStackTraces<Result>(act: () => Result): Result {
  const { stackTraceLimit } = Error;
  // Not an assignment, which throws where the intrinsics are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return act();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/** Checks the signature with a key already chosen for it. */
export function signatureFault(jws: CompactJws, key: JwtKey): Fault | undefined {
  // Cheaper to see than a signature is to compute. What the alphabet leaves open is found out after that.
  if (!base64urlAlphabet.test(jws.signature)) return faults.malformed;
  if (keyMaterial(key).verify(jws.signingInput, jws.signature)) return undefined;
  return decodeBase64url(jws.signature) === undefined ? faults.malformed : faults.signatureInvalid;
}

/** Decodes one part of a token into the JSON object it must hold. */
export function readJsonPart(part: string): Verdict<JsonObject> {
  const text = decodeObjectText(part);
  return text === undefined ? faults.malformed : readJsonObject(text);
}

/** What is no object is told by its ends: finding it out by an error costs more than verifying a token. */
function decodeObjectText(part: string): string | undefined {
  const text = decodeBase64urlText(part);
  const trimmed = text?.trim();
  return trimmed?.startsWith('{') === true && trimmed.endsWith('}') ? text : undefined;
}

function readJsonObject(text: string): Verdict<JsonObject> {
  const outcome = readJsonText(text);
  return 'refusal' in outcome || !isJsonObject(outcome.value) ? faults.malformed : outcome.value;
}

/** Signs a signing input with a key in hand. */
export function signJws(input: string, key: JwtKey): string {
  const { sign } = keyMaterial(key);
  if (sign === undefined) throw new JwtError('key_invalid', { reason: 'a public key cannot sign' });
  return `${input}.${sign(input)}`;
}

/** Writes a part of a token. */
export function encodeJson(value: JsonObject | JwtHeader): string {
  return encodeBase64url(JSON.stringify(value));
}
