import { describe, expect, it } from 'vitest';
import { algorithms } from '../src/algorithms.ts';
import { importKey, secretKey, verifyJwt, type Algorithm, type Jwk, type JwkSet } from '../src/index.ts';
import { expectRefusal } from './fixtures.ts';
import {
  describeVectors,
  isGoodSignature,
  judgeSignature,
  readVectors,
  signatureOf,
  type SignatureVerdict,
} from './shared-vectors.ts';

/** https://github.com/C2SP/wycheproof, testvectors_v1 */
interface JoseFile {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly comment: string;
    readonly public?: Jwk | JwkSet;
    readonly private: Jwk | JwkSet;
    readonly tests: readonly { readonly tcId: number; readonly result: string; readonly jws?: string | object }[];
  }[];
}

interface JoseVector {
  readonly tcId: number;
  readonly group: string;
  readonly result: string;
  readonly key: Jwk | JwkSet;
  readonly token: string;
}

interface Exception {
  /** What we hold for right, whatever the file says. */
  readonly result: 'valid' | 'invalid';
  readonly reason: string;
}

const emptyPayload: Exception = {
  result: 'invalid',
  reason: 'a JWS may have an empty payload, a JWT may not (RFC 7519, section 7.2)',
};
const lostPadding: Exception = {
  result: 'valid',
  reason: 'the padding it is about was lost: it is byte for byte the valid vector 357',
};
const strangeCharacter: Exception = {
  result: 'invalid',
  reason: 'it holds a question mark, which is not in the alphabet (RFC 7515, section 2)',
};
const otherAlgorithm: Exception = {
  result: 'invalid',
  reason: 'the token is PS384 and the key says PS256: one key, one algorithm (RFC 8725, section 3.1)',
};
const rocaKey: Exception = {
  result: 'valid',
  reason: 'the key has the fingerprint of ROCA, a fault of one chip maker: not looked for',
};

const signatureExceptions: Readonly<Record<number, Exception>> = {
  259: emptyPayload,
  264: emptyPayload,
  268: emptyPayload,
  272: emptyPayload,
  320: emptyPayload,
  325: emptyPayload,
  346: otherAlgorithm,
  350: otherAlgorithm,
  367: lostPadding,
  370: lostPadding,
  372: strangeCharacter,
  373: strangeCharacter,
};

/** The files about JOSE, with the faults we know. */
const joseFiles: readonly (readonly [string, Readonly<Record<number, Exception>>])[] = [
  ['json_web_signature_test.json', signatureExceptions],
  ['json_web_key_test.json', { 7: rocaKey }],
  ['json_web_crypto_test.json', { 46: rocaKey }],
];

const readJoseFile = (file: string): JoseFile => readVectors(`wycheproof/${file}`) as JoseFile;
const readPrimitiveFile = (file: string): PrimitiveFile => readVectors(`wycheproof/${file}`) as PrimitiveFile;

/** The vectors of a file that are about signatures; those about encryption have no `jws`. */
function joseVectors(file: string): readonly JoseVector[] {
  return readJoseFile(file).testGroups.flatMap((group) =>
    group.tests.flatMap(({ tcId, result, jws }) => {
      if (jws === undefined) return [];
      const token = typeof jws === 'string' ? jws : JSON.stringify(jws);
      return [{ tcId, result, token, group: group.comment, key: spelt(tcId, file, group.public ?? group.private) }];
    }),
  );
}

/** The keys of 347 and 351 say ES521, where ES512 is meant. In the file about keys the same word is the vector. */
function spelt(tcId: number, file: string, key: Jwk | JwkSet): Jwk | JwkSet {
  const isMisspelt = file === 'json_web_signature_test.json' && [347, 351].includes(tcId);
  return isMisspelt && !isSet(key) ? { ...key, alg: 'ES512' } : key;
}

function isSet(key: Jwk | JwkSet): key is JwkSet {
  return Array.isArray(key.keys);
}

/** The verdicts on a token with the key in a set and, where it is one key, with the key by itself. */
function judge({ token, key }: JoseVector): readonly SignatureVerdict[] {
  if (isSet(key)) return [judgeSignature(token, () => key)];
  const asKey = judgeSignature(token, () => importKey(key));
  // A set of public keys refuses private ones, but a secret is the same in a set.
  return [asKey, judgeSignature(token, () => ({ keys: [withoutPrivate(key)] }))];
}

function withoutPrivate(key: Jwk): Jwk {
  if (key.kty === 'oct') return key;
  return Object.fromEntries(Object.entries(key).filter(([name]) => !/^(d|p|q|dp|dq|qi)$/.test(name))) as unknown as Jwk;
}

const isOurs = (result: string, verdicts: readonly SignatureVerdict[]): boolean =>
  verdicts.every((verdict) => (verdict === 'good') === (result === 'valid'));

describeVectors('Wycheproof, JSON Web Signature and Key', 'wycheproof', () => {
  describe.each(joseFiles)('%s', (file, exceptions) => {
    const vectors = joseVectors(file);
    const groups = [...new Set(vectors.map(({ group }) => group))];

    it.each(groups)('agrees on every vector of %s, or says why not', (group) => {
      const deviations = vectors
        .filter((vector) => vector.group === group)
        .map((vector) => ({ vector, verdicts: judge(vector) }))
        .filter(({ vector, verdicts }) => !isOurs((exceptions[vector.tcId] ?? vector).result, verdicts))
        .map(({ vector, verdicts }) => `${vector.tcId} is ${vector.result}, we say ${verdicts.join(' and ')}`);
      expect(deviations).toEqual([]);
    });

    const named = Object.entries(exceptions).map(([tcId, exception]) => ({ tcId: Number(tcId), ...exception }));
    it.each(named)('holds $tcId for $result, against the file: $reason', ({ tcId, result }) => {
      expect(vectors.find((vector) => vector.tcId === tcId)?.result).toBe(result === 'valid' ? 'invalid' : 'valid');
    });
  });

  it('leaves nothing out but what is about encryption', () => {
    const counted = joseFiles.map(([file]) => joseVectors(file).length);
    const written = joseFiles.map(([file]) => readJoseFile(file).numberOfTests);
    expect(counted).toEqual([401, 26, 49]);
    expect(written).toEqual([401, 26, 83]);
  });

  it.each([353, 354, 355, 356])('refuses %i for use or key_ops, and for nothing else (J29)', (tcId) => {
    const { jwk, token } = aVector('json_web_signature_test.json', tcId);
    const { use, key_ops, ...rest } = jwk;
    const accepted: readonly Algorithm[] = [rest.kty === 'RSA' ? 'RS256' : 'ES256'];
    expect([use, key_ops]).toContain(undefined);
    expect(judgeSignature(token, () => ({ keys: [jwk] }), accepted)).toBe('key_not_found');
    expect(judgeSignature(token, () => ({ keys: [rest] }), accepted)).toBe('good');
  });

  it.each([368, 369, 371, 375])('refuses %i, whose MAC fits but whose payload is no base64url (J10, J11)', (tcId) => {
    const { jwk, token } = aVector('json_web_signature_test.json', tcId);
    expectRefusal('token_malformed', () => verifyJwt(token, { keys: importKey(jwk) }));
  });

  it('takes the vectors 367 and 370 for the valid 357, which they are', () => {
    const [valid, ...copies] = [357, 367, 370].map((tcId) => aVector('json_web_signature_test.json', tcId).token);
    expect(copies).toEqual([valid, valid]);
  });

  it('refuses the keys of the JWK vectors 8 to 12 and 16 to 18 themselves: weak, short or empty', () => {
    for (const tcId of [8, 9, 10, 11, 12, 16, 17, 18]) {
      const { jwk } = aVector('json_web_key_test.json', tcId);
      expectRefusal('key_invalid', () => importKey(jwk));
    }
  });
});

/** One vector and its only key. */
function aVector(file: string, tcId: number): { readonly jwk: Jwk; readonly token: string } {
  const vector = joseVectors(file).find((candidate) => candidate.tcId === tcId);
  const [jwk, another] = vector === undefined ? [] : isSet(vector.key) ? vector.key.keys : [vector.key];
  if (vector === undefined || jwk === undefined || another !== undefined) throw new Error(`${file} ${tcId} has no key`);
  return { jwk, token: vector.token };
}

interface PrimitiveFile {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly keySize?: number;
    readonly tagSize?: number;
    readonly publicKeyPem?: string;
    readonly publicKeyJwk?: Jwk;
    readonly keyJwk?: Jwk;
    readonly tests: readonly PrimitiveVector[];
  }[];
}

interface PrimitiveVector {
  readonly tcId: number;
  readonly comment: string;
  readonly result: string;
  readonly msg: string;
  readonly key?: string;
  readonly tag?: string;
  readonly sig?: string;
}

const hex = (text = ''): Buffer => Buffer.from(text, 'hex');

describeVectors('Wycheproof, MACs', 'wycheproof', () => {
  it.each([
    ['hmac_sha256_test.json', 'HS256'],
    ['hmac_sha384_test.json', 'HS384'],
    ['hmac_sha512_test.json', 'HS512'],
  ] as const)('%s: %s agrees, but for short keys and MACs cut short, which it refuses', (file, algorithm) => {
    const { numberOfTests, testGroups } = readPrimitiveFile(file);
    const { keySize } = algorithms[algorithm];
    const seen = { good: 0, bad: 0, cut: 0, weak: 0 };
    for (const { tagSize, tests } of testGroups) {
      for (const { tcId, key, msg, tag, result } of tests) {
        const make = (): ReturnType<typeof secretKey> => secretKey(hex(key), { algorithm });
        if (hex(key).length < keySize) {
          // RFC 7518, section 3.2: a key as long as the hash, or longer.
          expectRefusal('key_invalid', make);
          seen.weak += 1;
          continue;
        }
        // RFC 7518, section 3.2: the MAC is whole.
        const isWhole = tagSize === keySize * 8;
        const isGood = result === 'valid' && isWhole;
        expect(isGoodSignature(hex(msg), hex(tag), make()), `${file} ${tcId}`).toBe(isGood);
        expect(signatureOf(hex(msg), make()) === hex(tag).toString('base64url')).toBe(isGood);
        seen[isWhole ? (isGood ? 'good' : 'bad') : 'cut'] += 1;
      }
    }
    expect(seen).toEqual({ good: 30, bad: 54, cut: 84, weak: 6 });
    expect(numberOfTests).toBe(174);
  });
});

/** The files about signatures, and how many vectors each must have. */
const signatureFiles: readonly (readonly [string, Algorithm, number])[] = [
  ['rsa_signature_2048_sha256_test.json', 'RS256', 259],
  ['rsa_pss_2048_sha256_mgf1_32_test.json', 'PS256', 108],
  ['ecdsa_secp256r1_sha256_p1363_test.json', 'ES256', 262],
  ['ecdsa_secp384r1_sha384_p1363_test.json', 'ES384', 280],
  ['ecdsa_secp521r1_sha512_p1363_test.json', 'ES512', 318],
  ['ed25519_test.json', 'EdDSA', 151],
  ['ed25519_test.json', 'Ed25519', 151],
];

describeVectors('Wycheproof, signatures', 'wycheproof', () => {
  it.each(signatureFiles)(
    '%s: %s agrees on all vectors, with each key as PEM text and as JWK',
    (file, algorithm, count) => {
      const deviations: string[] = [];
      let judged = 0;
      for (const { publicKeyPem, publicKeyJwk, keyJwk, tests } of readPrimitiveFile(file).testGroups) {
        const jwk = publicKeyJwk ?? keyJwk;
        const keys = [publicKeyPem, jwk].filter((key) => key !== undefined).map((key) => importKey(key, { algorithm }));
        for (const { tcId, comment, msg, sig, result } of tests) {
          judged += 1;
          // The one `acceptable` vector lacks the NULL that RFC 8017, appendix A.2.4 asks for: refused.
          const isDeviation = keys.some((key) => isGoodSignature(hex(msg), hex(sig), key) !== (result === 'valid'));
          if (isDeviation) deviations.push(`${tcId} (${comment}) should be ${result}`);
        }
      }
      expect(deviations).toEqual([]);
      expect(judged).toBe(count);
    },
  );
});
