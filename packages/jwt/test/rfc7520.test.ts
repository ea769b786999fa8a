import { describe, expect, it } from 'vitest';
import {
  algorithmNames,
  exportJwk,
  exportPublicJwk,
  importKey,
  jwkThumbprint,
  publicKey,
  verifyJwt,
  type Algorithm,
  type Jwk,
} from '../src/index.ts';
import { aKey, expectRefusal } from './fixtures.ts';
import { describeVectors, judgeSignature, listVectors, readVectors, signatureOf } from './shared-vectors.ts';

interface Example {
  readonly url: string;
  readonly algorithm: Algorithm;
  readonly jwk: Jwk;
  readonly token: string;
}

const bilbo = 'bilbo.baggins@hobbiton.example';
const payload =
  'SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGl' +
  'mIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4';

/** https://www.rfc-editor.org/rfc/rfc7520.html#section-3.3 */
const rsaJwk: Jwk = {
  kty: 'RSA',
  kid: bilbo,
  use: 'sig',
  n:
    'n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwG' +
    'U_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3u' +
    'hGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHd' +
    'rNP5zw',
  e: 'AQAB',
};

const examples: Readonly<Record<string, Example>> = {
  '4.1, RSA v1.5': {
    url: 'https://www.rfc-editor.org/rfc/rfc7520.html#section-4.1',
    algorithm: 'RS256',
    jwk: rsaJwk,
    token:
      `eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${payload}.` +
      'MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA' +
      '78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQ' +
      'dLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18' +
      'kDquDg',
  },
  '4.2, RSA-PSS': {
    url: 'https://www.rfc-editor.org/rfc/rfc7520.html#section-4.2',
    algorithm: 'PS384',
    jwk: rsaJwk,
    token:
      `eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${payload}.` +
      'cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcb' +
      'UrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8I' +
      'mUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-' +
      'X72Eaw',
  },
  '4.3, ECDSA': {
    url: 'https://www.rfc-editor.org/rfc/rfc7520.html#section-4.3',
    algorithm: 'ES512',
    jwk: {
      kty: 'EC',
      kid: bilbo,
      use: 'sig',
      crv: 'P-521',
      x: 'AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt',
      y: 'AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1',
    },
    token:
      `eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${payload}.` +
      'AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxX' +
      'Pn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2',
  },
  '4.4, HMAC-SHA2': {
    url: 'https://www.rfc-editor.org/rfc/rfc7520.html#section-4.4',
    algorithm: 'HS256',
    jwk: {
      kty: 'oct',
      kid: '018c0ae5-4d9b-471b-bfd6-eef314bc7037',
      use: 'sig',
      alg: 'HS256',
      k: 'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg',
    },
    token:
      `eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.${payload}.` +
      's0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0',
  },
};

describe('RFC 7520, section 4', () => {
  it.each(Object.entries(examples))('verifies the signature of %s, and refuses it as a JWT', (_name, example) => {
    const { algorithm, jwk, token } = example;
    expect(judgeSignature(token, () => importKey(jwk, { algorithm }))).toBe('good');
    expect(judgeSignature(token, () => ({ keys: [jwk] }), [algorithm])).toBe('good');
    expect(Buffer.from(payload, 'base64url').toString()).toMatch(/^It’s a dangerous business/);
    expectRefusal('token_malformed', () => verifyJwt(token, { keys: importKey(jwk, { algorithm }) }));
  });

  it.each(Object.entries(examples))('refuses %s with any other algorithm of its key type', (_name, example) => {
    const { jwk, token, algorithm } = example;
    for (const other of algorithmNames.filter((name) => name !== algorithm)) {
      expect(judgeSignature(token, () => importKey(jwk, { algorithm: other }))).toMatch(
        /^(key_invalid|algorithm_not_allowed)$/,
      );
    }
  });

  it('makes the MAC of 4.4', () => {
    const { jwk, token } = examples['4.4, HMAC-SHA2'] ?? never();
    const dot = token.lastIndexOf('.');
    expect(signatureOf(Buffer.from(token.slice(0, dot)), importKey(jwk))).toBe(token.slice(dot + 1));
  });
});

function never(): never {
  throw new Error('The example is not there');
}

/** https://github.com/ietf-jose/cookbook */
interface Cookbook {
  readonly reproducible?: boolean;
  readonly input: { readonly key: Jwk; readonly alg: Algorithm };
  readonly signing: { readonly 'sig-input': string; readonly sig: string };
  readonly output: { readonly compact?: string; readonly json?: object; readonly json_flat?: object };
}

const read = (file: string): Cookbook => readVectors(`rfc7520-cookbook/${file}`) as Cookbook;
const readJwk = (file: string): Jwk => readVectors(`rfc7520-cookbook/jwk/${file}`) as Jwk;

/** The token forms of an example: what somebody could put into an Authorization header. */
function jsonForms({ output }: Cookbook): readonly string[] {
  return [output.json, output.json_flat].filter((form) => form !== undefined).map((form) => JSON.stringify(form));
}

describeVectors('RFC 7520 cookbook, JSON Web Keys', 'rfc7520-cookbook', () => {
  it.each([
    ['3_1.ec_public_key.json', '3_2.ec_private_key.json', 'ES512'],
    ['3_3.rsa_public_key.json', '3_4.rsa_private_key.json', 'RS256'],
  ] as const)('%s is the public half of %s', (publicFile, privateFile, algorithm) => {
    const half = importKey(readJwk(publicFile), { algorithm });
    const whole = importKey(readJwk(privateFile), { algorithm });
    expect([half.type, whole.type]).toEqual(['public', 'private']);
    expect(exportPublicJwk(whole)).toEqual({ ...readJwk(publicFile), alg: algorithm });
    expect(exportJwk(whole)).toEqual({ ...readJwk(privateFile), alg: algorithm });
    expect(jwkThumbprint(publicKey(whole))).toBe(jwkThumbprint(half));
  });

  it('3.5 is a secret for HS256', () => {
    const jwk = readJwk('3_5.symmetric_key_mac_computation.json');
    expect(exportJwk(importKey(jwk))).toEqual(jwk);
  });

  it('3.6 is refused: it encrypts', () => {
    expectRefusal('key_invalid', () => importKey(readJwk('3_6.symmetric_key_encryption.json')));
    expectRefusal('key_invalid', () => importKey(readJwk('3_6.symmetric_key_encryption.json'), { algorithm: 'HS256' }));
  });
});

describeVectors('RFC 7520 cookbook, signatures', 'rfc7520-cookbook', () => {
  const compact = [
    'jws/4_1.rsa_v15_signature.json',
    'jws/4_2.rsa-pss_signature.json',
    'jws/4_3.ecdsa_signature.json',
    'jws/4_4.hmac-sha2_integrity_protection.json',
    'curve25519/jws.json',
  ];

  it.each(compact)('verifies %s, and makes it again where that is possible', (file) => {
    const { input, signing, output, reproducible = false } = read(file);
    const key = importKey(input.key, { algorithm: input.alg });
    expect(judgeSignature(output.compact ?? '', () => key)).toBe('good');
    const made = signatureOf(Buffer.from(signing['sig-input']), key);
    expect(made === signing.sig).toBe(reproducible);
    expect(judgeSignature(`${signing['sig-input']}.${made}`, () => key)).toBe('good');
  });

  it('leaves no example of section 4 out', () => {
    expect(listVectors('rfc7520-cookbook/jws').map((file) => file.slice(0, 3))).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `4_${number}`),
    );
  });

  it.each(listVectors('rfc7520-cookbook/jws'))('refuses the JSON forms of %s (J14)', (file) => {
    const example = read(`jws/${file}`);
    const [jwk, algorithm] = [[example.input.key].flat().at(-1), [example.input.alg].flat().at(-1)];
    if (jwk === undefined || algorithm === undefined) throw new Error('The example has no key');
    for (const form of jsonForms(example)) {
      expect(judgeSignature(form, () => importKey(jwk, { algorithm }))).toBe('token_malformed');
    }
  });

  it('refuses 4.5, whose payload is elsewhere (J12)', () => {
    const { input, output } = read('jws/4_5.signature_with_detached_content.json');
    expect(judgeSignature(output.compact ?? '', () => importKey(input.key))).toBe('token_malformed');
  });

  it.each(listVectors('rfc7520-cookbook/rfc7797'))('refuses %s, whose payload is not encoded (J9)', (file) => {
    const example = read(`rfc7797/${file}`);
    const key = importKey(example.input.key);
    for (const form of jsonForms(example)) expect(judgeSignature(form, () => key)).toBe('token_malformed');
    const [token = ''] = [example.output.compact].filter((form) => form !== undefined);
    if (token !== '') expect(judgeSignature(token, () => key)).toBe('critical_header_unsupported');
  });
});

describeVectors('RFC 7520 cookbook, encryption', 'rfc7520-cookbook', () => {
  it.each(listVectors('rfc7520-cookbook/jwe'))('refuses %s in every form (J13)', (file) => {
    const example = read(`jwe/${file}`);
    const forms = [...jsonForms(example), example.output.compact].filter((form) => form !== undefined);
    expect(forms.length).toBeGreaterThan(0);
    // A key of the same kind as each JWE is made for, but ours is for signatures.
    for (const form of forms) {
      for (const key of [aKey('RS256'), aKey('ES256'), aKey('HS256')]) {
        expect(judgeSignature(form, () => key)).toMatch(/^(token_malformed|algorithm_not_allowed)$/);
      }
    }
  });

  it('verifies the JWT of section 6, and refuses it wrapped in a JWE', () => {
    const { sign, encrypt } = readVectors('rfc7520-cookbook/6.nesting_signatures_and_encryption.json') as {
      readonly sign: Cookbook;
      readonly encrypt: Cookbook;
    };
    const keys = importKey(sign.input.key, { algorithm: 'PS256' });
    const options = { keys, issuer: 'hobbiton.example', now: new Date(1_300_819_379_000) };
    const { claims, header } = verifyJwt(sign.output.compact ?? '', options);
    expect(claims).toEqual({ iss: 'hobbiton.example', exp: 1_300_819_380, 'http://example.com/is_root': true });
    expect(header).toEqual({ alg: 'PS256', typ: 'JWT' });
    expectRefusal('algorithm_not_allowed', () => verifyJwt(encrypt.output.compact ?? '', options));
  });
});
