import { createPrivateKey, createPublicKey, createSecretKey, randomBytes } from 'node:crypto';
import type { JsonWebKey, KeyObject, KeyPairKeyObjectResult } from 'node:crypto';
import { expect } from 'vitest';
import { keyPair } from '../../../test/key-pair.ts';
import { algorithms } from '../src/algorithms.ts';
import { encodeBase64url } from '../src/base64url.ts';
import {
  importKey,
  isJwtError,
  secretKey,
  signJwt,
  type Algorithm,
  type AnyJwtError,
  type Jwk,
  type JwtClaims,
  type JwtErrorCode,
  type JwtKey,
} from '../src/index.ts';
import { keyMaterial } from '../src/key.ts';
import { isInstrumented } from './expect-within.ts';
import slowKeys from './vectors/slow-keys.json' with { type: 'json' };

/** The moment all tests live in. */
export const now: Date = new Date('2026-01-01T00:00:00Z');

/** The same moment, in seconds. */
export const seconds: number = now.getTime() / 1000;

export const issuer = 'https://auth.example.com';
export const audience = 'https://api.example.com';

/** Claims of an honest access token, good for fifteen minutes. */
export function someClaims(more: JwtClaims = {}): JwtClaims {
  return {
    iss: issuer,
    sub: 'ada',
    aud: audience,
    client_id: 'web',
    iat: seconds,
    exp: seconds + 900,
    jti: 'j1',
    ...more,
  };
}

/** The same claims without one. */
export function claimsWithout(name: string): JwtClaims {
  return Object.fromEntries(Object.entries(someClaims()).filter(([claim]) => claim !== name));
}

export const hmacKey: JwtKey = secretKey('0123456789abcdef0123456789abcdef');

/** What an honest verifier asks of {@link someClaims}. */
export const expected = { keys: hmacKey, issuer, audience, now } as const;

/** An RSA key that is not the one of {@link aKey}. */
export const anotherRsa: KeyPairKeyObjectResult = rsaPair(slowKeys.rsa[1]);

/** Public keys of types that no algorithm of ours is for. */
export const strangeKeys = { dsa: createPublicKey(slowKeys.dsa), rsaPss: createPublicKey(slowKeys.rsaPss) } as const;

const keys = new Map<Algorithm, JwtKey>();

/** The key of an algorithm; the RSA algorithms share their material, to keep the tests quick. */
export function aKey(algorithm: Algorithm): JwtKey {
  const key = keys.get(algorithm) ?? importKey(keyObjectFor(algorithm), { algorithm, keyId: `key-${algorithm}` });
  keys.set(algorithm, key);
  return key;
}

function rsaPair(key: JsonWebKey = {}): KeyPairKeyObjectResult {
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function keyObjectFor(algorithm: Algorithm): KeyObject {
  const { kty, crv, keySize } = algorithms[algorithm];
  if (kty === 'oct') return createSecretKey(randomBytes(keySize));
  if (kty === 'EC') return keyPair('ec', crv ?? '').privateKey;
  if (kty === 'OKP') return keyPair('ed25519').privateKey;
  return rsaPair(slowKeys.rsa[0]).privateKey;
}

/** An honest token, signed with {@link hmacKey}. */
export function aToken(more: JwtClaims = {}, key: JwtKey = hmacKey): string {
  return signJwt(someClaims(more), key);
}

/** A token of any header and payload whatever, with a signature that fits them. */
export function forge(
  header: string | object,
  payload: string | object | Uint8Array = someClaims(),
  key: JwtKey = hmacKey,
): string {
  const input = `${encodeBase64url(text(header))}.${encodeBase64url(text(payload))}`;
  return signed(input, key);
}

/** Completes a signing input with a signature that fits it. */
export function signed(input: string, key: JwtKey = hmacKey): string {
  return `${input}.${keyMaterial(key).sign?.(input) ?? ''}`;
}

function text(value: string | object | Uint8Array): string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value);
}

/** A JWK as somebody without types might write it. */
export function aStrangeJwk(material: unknown): Jwk {
  return material as Jwk;
}

/** How often to try something: instrumented code is slow, and what is wrong with it shows soon. */
export function times(count: number): number {
  return isInstrumented ? Math.ceil(count / 50) : count;
}

/** Runs what must be refused, and returns the refusal. */
export function refusalOf(act: () => unknown): AnyJwtError {
  try {
    act();
  } catch (error) {
    if (isJwtError(error)) return error;
    throw error;
  }
  throw new Error('Expected a refusal');
}

/** Expects an act to be refused for one reason. */
export function expectRefusal(code: JwtErrorCode, act: () => unknown): void {
  expect(refusalOf(act).code).toBe(code);
}
