import type { Algorithm } from './algorithms.ts';
import { Fault, faults, type Verdict } from './fault.ts';
import { compileJwkSet, type LocalKeys } from './jwk-set.ts';
import { readHeader, type JwtHeader } from './jws.ts';
import { JwtKey } from './key.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';

/** Where verification finds keys. */
export type Keys = LocalKeys | RemoteJwkSet;

/** Tells whether keys must be fetched. */
export function isRemote(keys: Keys): keys is RemoteJwkSet {
  return typeof keys === 'object' && keys !== null && 'refresh' in keys;
}

/** A header that has been read, and the one key that fits it. */
export interface KnownHeader {
  readonly header: JwtHeader;
  readonly key: JwtKey;
}

/** How many headers a ring remembers: an issuer has one for each of its keys. */
const mostHeaders = 64;

/**
 * Keys to choose from, under one list of accepted algorithms.
 *
 * A token only picks among our keys: it never brings one, and an unknown key id never falls back on another key. All
 * tokens of one key start with the same header, so a header is read once and remembered, but only after a signature
 * under it was good: strangers cannot fill the memory.
 */
export class KeyRing {
  readonly #keys: readonly JwtKey[];
  readonly #accepted: readonly Algorithm[] | undefined;
  readonly #known = new Map<string, KnownHeader>();

  constructor(keys: readonly JwtKey[], accepted: readonly Algorithm[] | undefined) {
    this.#keys = keys;
    this.#accepted = accepted;
  }

  /** What a header is known for. */
  recall(encodedHeader: string): KnownHeader | undefined {
    return this.#known.get(encodedHeader);
  }

  /** Remembers a header under which a good signature was seen. */
  remember(encodedHeader: string, known: KnownHeader): void {
    if (this.#known.size >= mostHeaders) this.#known.clear();
    // A slice would keep the whole token in memory.
    this.#known.set(Buffer.from(encodedHeader, 'latin1').toString('latin1'), known);
  }

  /** Reads a header and chooses its key. */
  identify(encodedHeader: string): Verdict<KnownHeader> {
    const header = readHeader(encodedHeader);
    if (header instanceof Fault) return header;
    const key = this.#choose(header);
    return key instanceof Fault ? key : { header: Object.freeze(header), key };
  }

  #choose({ alg, kid }: JwtHeader): Verdict<JwtKey> {
    if (this.#accepted?.includes(alg) === false) return new Fault('algorithm_not_allowed', { algorithm: alg });
    const [key, another] = this.#keys.filter((candidate) => candidate.algorithm === alg && this.#fits(candidate, kid));
    if (key !== undefined && another === undefined) return key;
    const isStrange = this.#keys.length > 0 && !this.#keys.some((candidate) => candidate.algorithm === alg);
    return isStrange && this.#accepted === undefined
      ? new Fault('algorithm_not_allowed', { algorithm: alg })
      : faults.keyNotFound;
  }

  /** A key without id fits any key id only while it is the only key. */
  #fits(key: JwtKey, kid: string | undefined): boolean {
    return kid === undefined || (key.keyId === undefined ? this.#keys.length === 1 : key.keyId === kid);
  }
}

/** Rings by the object that holds the keys and by the accepted algorithms: neither changes. */
const rings = new WeakMap<object, Map<string, KeyRing>>();

/** The ring of these keys. A list may change between two calls, so it gets a new one each time. */
export function ringOf(keys: LocalKeys, accepted: readonly Algorithm[] | undefined): KeyRing {
  if (isKeyList(keys)) return new KeyRing([...keys], accepted);
  let variants = rings.get(keys);
  if (variants === undefined) rings.set(keys, (variants = new Map<string, KeyRing>()));
  const variant = accepted === undefined ? '' : accepted.join();
  let ring = variants.get(variant);
  if (ring === undefined) variants.set(variant, (ring = new KeyRing(listKeys(keys, accepted), accepted)));
  return ring;
}

function listKeys(
  keys: Exclude<LocalKeys, readonly JwtKey[]>,
  accepted: readonly Algorithm[] | undefined,
): readonly JwtKey[] {
  return keys instanceof JwtKey ? [keys] : compileJwkSet(keys, accepted);
}

function isKeyList(keys: LocalKeys): keys is readonly JwtKey[] {
  if (keys instanceof JwtKey) return false;
  if (!Array.isArray(keys)) {
    if (typeof keys === 'object' && keys !== null && 'keys' in keys && Array.isArray(keys.keys)) return false;
    throw new TypeError(
      'keys must be a JwtKey, a list of them, a JWK Set or a remoteJwkSet(); wrap a secret in secretKey()',
    );
  }
  if (keys.length === 0 || !keys.every((key) => key instanceof JwtKey)) {
    throw new TypeError('A list of keys must hold at least one JwtKey, and nothing else');
  }
  return true;
}
