import crypto, { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createMac, nativeMac, oneShotMac, type HmacHash } from '../src/hmac.ts';
import { secretKey, signJwt, verifyJwt } from '../src/index.ts';
import { times } from './fixtures.ts';

const hashes = {
  sha256: { name: 'sha256', blockSize: 64, size: 32 },
  sha384: { name: 'sha384', blockSize: 128, size: 48 },
  sha512: { name: 'sha512', blockSize: 128, size: 64 },
} as const satisfies Record<string, HmacHash>;

/** A test case of RFC 4231, section 4: key and data as hexadecimal, and how each MAC begins. */
const rfc4231 = [
  {
    name: 'a short key',
    key: '0b'.repeat(20),
    data: '4869205468657265',
    macs: { sha256: 'b0344c61d8db3853', sha384: 'afd03944d8489562', sha512: '87aa7cdea5ef619d' },
  },
  {
    name: 'a key shorter than the hash',
    key: '4a656665',
    data: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    macs: { sha256: '5bdcc146bf60754e', sha384: 'af45d2e376484031', sha512: '164b7a7bfcf819e2' },
  },
  {
    name: 'more than 64 bytes together',
    key: 'aa'.repeat(20),
    data: 'dd'.repeat(50),
    macs: { sha256: '773ea91e36800e46', sha384: '88062608d3e6ad8a', sha512: 'fa73b0089d56a284' },
  },
  {
    name: 'another key',
    key: '0102030405060708090a0b0c0d0e0f10111213141516171819',
    data: 'cd'.repeat(50),
    macs: { sha256: '82558a389a443c0e', sha384: '3e8a69b7783c2585', sha512: 'b0ba465637458c69' },
  },
  {
    name: 'a key longer than a block',
    key: 'aa'.repeat(131),
    data: Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
    macs: { sha256: '60e431591ee0b67f', sha384: '4ece084485813e90', sha512: '80b24263c7c1a3eb' },
  },
] as const;

const hexOf = (mac: string): string => Buffer.from(mac, 'base64url').toString('hex');

describe.each(Object.values(hashes))('HMAC with $name', (hash) => {
  it.each(rfc4231)('agrees with RFC 4231: $name', ({ key, data, macs }) => {
    const secret = createSecretKey(Buffer.from(key, 'hex'));
    const text = Buffer.from(data, 'hex').toString('latin1');
    for (const form of [oneShotMac, nativeMac, createMac]) {
      const mac = hexOf(form(hash, secret)(text));
      expect(mac.slice(0, 16)).toBe(macs[hash.name]);
      expect(mac).toHaveLength(hash.size * 2);
    }
  });

  it('is the same in both forms, for any keys and texts in any order', () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 300 });
    const text = fc.string({ unit: 'binary-ascii', maxLength: 700 });
    const long = fc.integer({ min: 8000, max: 8400 }).map((length) => 'x'.repeat(length));
    const calls = fc.array(fc.tuple(fc.nat(2), fc.oneof(text, long)), { maxLength: 12 });
    fc.assert(
      fc.property(fc.tuple(key, key, key), calls, (keys, made) => {
        const secrets = keys.map((bytes) => createSecretKey(bytes));
        const [oneShot, native] = [oneShotMac, nativeMac].map((form) => secrets.map((secret) => form(hash, secret)));
        for (const [index, input] of made) expect(oneShot?.[index]?.(input)).toBe(native?.[index]?.(input));
      }),
      { numRuns: times(200) },
    );
  });
});

describe('a runtime with one-shot hashes', () => {
  it('uses them for every text a token of the default length can have', () => {
    const hash = vi.spyOn(crypto, 'hash');
    try {
      const mac = createMac(hashes.sha256, createSecretKey(Buffer.alloc(32, 1)));
      for (const length of [1, 8192]) mac('x'.repeat(length));
      expect(hash).toHaveBeenCalledTimes(4);
      mac('x'.repeat(8193));
      expect(hash).toHaveBeenCalledTimes(4);
    } finally {
      hash.mockRestore();
    }
  });
});

describe('a runtime without one-shot hashes', () => {
  it('signs and verifies the same tokens', () => {
    const secret = crypto.randomBytes(64);
    const algorithms = ['HS256', 'HS384', 'HS512'] as const;
    const sign = (): readonly string[] =>
      algorithms.map((algorithm) => signJwt({ exp: 4e9 }, secretKey(secret, { algorithm })));
    const tokens = sign();
    const { hash } = crypto;
    try {
      Object.assign(crypto, { hash: undefined });
      expect(sign()).toEqual(tokens);
      for (const [index, algorithm] of algorithms.entries()) {
        expect(verifyJwt(tokens[index] ?? '', { keys: secretKey(secret, { algorithm }) }).claims).toEqual({ exp: 4e9 });
      }
    } finally {
      Object.assign(crypto, { hash });
    }
    expect(sign()).toEqual(tokens);
  });
});
