import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  exportJwk,
  importKey,
  isJwtError,
  JwtError,
  parseStrictJson,
  remoteJwkSet,
  secretKey,
  signJwt,
  verifyJwt,
  type AnyJwtError,
  type JwtErrorCode,
  type JwtErrorDetails,
  type VerifyOptions,
  type JwtKey,
} from '../src/index.ts';
import { aKey, claimsWithout, expected, forge, hmacKey, refusalOf, seconds, someClaims } from './fixtures.ts';

const canary = 'c4n4ry-TeXt';
const secret = `${canary}-of-a-secret-of-enough-bytes-for-all`;
const key = secretKey(secret);
const token = (claims: object = {}, header: object = {}): string =>
  forge({ alg: 'HS256', ...header }, { ...someClaims(), [canary]: canary, ...claims }, key);
const verify = (text: string, options: Partial<VerifyOptions<JwtKey>> = {}): unknown =>
  verifyJwt(text, { ...expected, keys: key, ...options });

/** One way to be refused for each code, every one with the canary in what is refused. */
const ways: { readonly [Code in JwtErrorCode]: () => unknown } = {
  token_malformed: () => verify(`${token()}.${canary}`),
  token_too_large: () => verify(canary.repeat(1000)),
  algorithm_not_allowed: () => verify(token({}, { alg: canary })),
  critical_header_unsupported: () => verify(token({}, { crit: [canary] })),
  type_mismatch: () => verify(token({}, { typ: canary }), { typ: 'at+jwt' }),
  key_not_found: () => verifyJwt(token({}, { kid: canary }), { ...expected, keys: aKey('HS256') }),
  key_invalid: () => importKey({ kty: 'oct', alg: 'HS512', k: Buffer.from(secret).toString('base64url') }),
  keys_unavailable: () => verifyUnreachable(),
  signature_invalid: () => verifyJwt(token(), { ...expected, keys: hmacKey }),
  claims_invalid: () => verify(token({ exp: canary })),
  claim_missing: () => verify(forge({ alg: 'HS256' }, { ...claimsWithout('exp'), [canary]: 1 }, key)),
  claim_mismatch: () => verify(token({ iss: canary })),
  expired: () => verify(token({ exp: 1 })),
  not_yet_valid: () => verify(token({ nbf: seconds + 900 })),
  token_too_old: () => verify(token({ iat: 1 }), { maxTokenAge: 1 }),
  json_invalid: () => parseStrictJson(`{"${canary}":1,"${canary}":1}`),
};

const verifyUnreachable = (): Promise<unknown> => {
  const fetch = (): Promise<Response> => Promise.resolve(new Response(canary, { status: 500 }));
  return verifyJwt(token(), { ...expected, keys: remoteJwkSet('https://auth.example.com/jwks', { fetch }) });
};

async function refusal(act: () => unknown): Promise<AnyJwtError> {
  try {
    await act();
  } catch (error) {
    if (isJwtError(error)) return error;
    throw error;
  }
  throw new Error('Expected a refusal');
}

/** What the log reads for each code. */
const messages: { readonly [Code in JwtErrorCode]: readonly [JwtErrorDetails[Code], string] } = {
  token_malformed: [{}, 'The token is malformed'],
  token_too_large: [{ length: 9000, maximum: 8192 }, 'The token has 9000 characters; at most 8192 are allowed'],
  algorithm_not_allowed: [{ algorithm: 'HS256' }, 'The algorithm HS256 is not allowed'],
  critical_header_unsupported: [{}, 'The token requires an extension that is not supported'],
  type_mismatch: [{ expected: 'at+jwt' }, 'The token is not of type at+jwt'],
  key_not_found: [{}, 'No key, or more than one, fits the token'],
  key_invalid: [{ reason: 'it is short' }, 'The key is refused: it is short'],
  keys_unavailable: [{ reason: 'timeout' }, 'The keys cannot be fetched (timeout)'],
  signature_invalid: [{}, 'The signature is invalid'],
  claims_invalid: [{ claim: 'exp' }, 'The claim exp is invalid'],
  claim_missing: [{ claim: 'exp' }, 'The claim exp is missing'],
  claim_mismatch: [{ claim: 'iss' }, 'The claim iss is not the expected one'],
  expired: [{ expiredAt: new Date(0) }, 'The token expired at 1970-01-01T00:00:00.000Z'],
  not_yet_valid: [
    { claim: 'nbf', validFrom: new Date(0) },
    'The token is not valid before 1970-01-01T00:00:00.000Z (nbf)',
  ],
  token_too_old: [{ issuedAt: new Date(0) }, 'The token is too old: it was issued at 1970-01-01T00:00:00.000Z'],
  json_invalid: [{ reason: 'depth' }, 'The text is not strict JSON (depth)'],
};

describe('K7 errors', () => {
  it.each(Object.entries(messages))('%s is worded for the log', (code, [details, message]) => {
    const error = new JwtError(code as JwtErrorCode, details);
    expect(error.message).toBe(message);
    expect(error.details).toBe(details);
    expect(error).not.toHaveProperty('cause');
  });

  it('words an algorithm that has no name', () => {
    const { message } = new JwtError('algorithm_not_allowed', { algorithm: undefined });
    expect(message).toBe('The algorithm of the token is not allowed');
  });

  it.each(Object.entries(ways))('%s holds no text of the token or the key', async (code, act) => {
    const error = await refusal(act);
    expect(error.code).toBe(code);
    const shown = `${error.message}${error.stack}${JSON.stringify(error)}${inspect(error, { depth: 9, showHidden: true })}`;
    const encoded = Buffer.from(canary).toString('base64url').slice(0, 12);
    for (const text of [canary, secret, encoded, exportJwk(key).k ?? '', token().slice(-43)])
      expect(shown).not.toContain(text);
  });

  it('have a name, a code, details and a message, and no stack trace', () => {
    const error = new JwtError('expired', { expiredAt: new Date(0) }, { cause: 'why' });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'JwtError',
      code: 'expired',
      details: { expiredAt: new Date(0) },
      cause: 'why',
    });
    expect(String(error)).toBe('JwtError: The token expired at 1970-01-01T00:00:00.000Z');
    expect(error.stack).not.toContain('\n');
    expect(new Error('other').stack).toContain('\n');
  });

  it('are told from others', () => {
    expect(isJwtError(refusalOf(() => signJwt({ exp: Number.NaN }, hmacKey)))).toBe(true);
    for (const other of [new Error('expired'), { code: 'expired' }, 'expired', undefined])
      expect(isJwtError(other)).toBe(false);
  });
});
