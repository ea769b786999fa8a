import type { Algorithm } from './algorithms.ts';
import { Fault, faults, type Verdict } from './fault.ts';
import { freezeJson } from './json.ts';
import { compileJwkSet, type JwkSet, type LocalKeys } from './jwk-set.ts';
import { readHeader, type JwtHeader } from './jws.ts';
import { JwtKey } from './key.ts';
import type { RemoteJwkSet } from './remote-jwk-set.ts';

/** Where verification finds keys. */
export type Keys = LocalKeys | RemoteJwkSet;

/** Tells whether keys must be fetched. */
export function isRemote(keys: Keys): keys is RemoteJwkSet {
  return typeof keys === 'object' && keys !== null && 'refresh' in keys && typeof keys.refresh === 'function';
}

/** A header that has been read, and the one key that fits it. */
export interface KnownHeader {
  readonly encoded: string;
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
  #latest: KnownHeader | undefined;

  constructor(keys: LocalKeys, accepted: readonly Algorithm[] | undefined) {
    this.#keys = listKeys(keys, accepted);
    this.#accepted = accepted;
  }

  get hasKeyWithoutId(): boolean {
    return this.#keys.some(({ keyId }) => keyId === undefined);
  }

  /** Reads a header and chooses its key. */
  identify(encoded: string): Verdict<KnownHeader> {
    if (encoded === this.#latest?.encoded) return this.#latest;
    return this.#known.get(encoded) ?? this.#read(encoded);
  }

  /** Remembers a header under which a good signature was seen. */
  remember(known: KnownHeader): void {
    if (known === this.#latest) return;
    this.#latest = known;
    if (this.#known.has(known.encoded)) return;
    if (this.#known.size >= mostHeaders) this.#known.clear();
    // A slice would keep the whole token in memory.
    const encoded = Buffer.from(known.encoded, 'latin1').toString('latin1');
    this.#latest = { ...known, encoded };
    this.#known.set(encoded, this.#latest);
  }

  #read(encoded: string): Verdict<KnownHeader> {
    const header = readHeader(encoded);
    if (header instanceof Fault) return header;
    const key = this.#choose(header);
    return key instanceof Fault ? key : { encoded, header: freezeJson(header), key };
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

function listKeys(keys: LocalKeys, accepted: readonly Algorithm[] | undefined): readonly JwtKey[] {
  if (keys instanceof JwtKey) return [keys];
  if (!Array.isArray(keys)) return compileJwkSet(jwkSetOf(keys), accepted);
  const listed: readonly unknown[] = keys;
  const list = listed.filter((key) => key instanceof JwtKey);
  if (list.length === 0 || list.length < listed.length) {
    throw new TypeError('A list of keys must hold at least one JwtKey, and nothing else');
  }
  const names = new Set(list.map(({ algorithm, keyId }) => JSON.stringify([algorithm, keyId])));
  if (names.size === list.length) return list;
  throw new TypeError('Two keys of the list have the same algorithm and key id, so no token could tell which it means');
}

function jwkSetOf(keys: unknown): JwkSet {
  if (typeof keys === 'object' && keys !== null && 'keys' in keys && Array.isArray(keys.keys)) return keys as JwkSet;
  throw new TypeError(
    'keys must be a JwtKey, a list of them, a JWK Set or a remoteJwkSet(); wrap a secret in secretKey()',
  );
}
