import { randomBytes, randomUUID } from 'node:crypto';
import { signJwt } from '@sallyport/jwt';
import type { BenchKey } from './keys.ts';

export const issuer = 'https://auth.example.com';
export const audience = 'https://api.example.com';
export const typ = 'at+jwt';

/** The claims of a token, in a form that all libraries sign. */
export interface BenchClaims {
  readonly [name: string]: string | number | string[];
}

/** Claims of an access token of a user with a few rights; no two are the same. */
export function someClaims(more: BenchClaims = {}): BenchClaims {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    sub: randomUUID(),
    aud: audience,
    iat: now - 1,
    nbf: now - 1,
    exp: now + 3600,
    jti: randomBytes(8).toString('base64url'),
    sid: randomBytes(8).toString('base64url'),
    scope: 'todos:read todos:write',
    roles: ['user', 'editor'],
    ...more,
  };
}

/** Texts that are cut out of others or put together of others are not as quick to read as these. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/**
 * Tokens as they arrive: each in an `Authorization` header, from which every call cuts a new string. A library that
 * remembers strings by their identity, or their hashes, gains nothing from having seen the same object before.
 */
export class TokenPool {
  readonly tokens: readonly string[];
  readonly #headers: readonly string[];

  constructor(tokens: readonly string[]) {
    this.tokens = tokens;
    this.#headers = tokens.map((token) => flat(`Bearer ${token}`));
  }

  /** The token of a call; after the last one the first comes again. */
  at(index: number): string {
    return (this.#headers[index % this.#headers.length] ?? '').slice('Bearer '.length);
  }

  /** A pool of tokens made of these. */
  map(change: (token: string, index: number) => string): TokenPool {
    return new TokenPool(this.tokens.map((token, index) => change(token, index)));
  }
}

/** So many distinct tokens, signed with one key. */
export function aTokenPool(key: BenchKey, size = 2000): TokenPool {
  return new TokenPool(Array.from({ length: size }, () => aToken(key)));
}

/** A token that no other equals. */
export function aToken(key: BenchKey, claims: BenchClaims = someClaims()): string {
  return flat(signJwt(claims, key.own.signing, { typ }));
}
