import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { algorithmNames, isJwtError, verifyJwt, type Algorithm } from '../src/index.ts';
import { aKey, aToken, expected, signed } from './fixtures.ts';

/** Whether a token is refused, and in the way refusals are made. */
function isRefused(token: string, algorithm: Algorithm): boolean {
  try {
    verifyJwt(token, { ...expected, keys: aKey(algorithm) });
    return false;
  } catch (error) {
    return isJwtError(error);
  }
}

/** One honest token for each algorithm; its payload has unused bits, and both characters that base64 writes otherwise. */
const honest: ReadonlyMap<Algorithm, string> = new Map(
  algorithmNames.map((algorithm) => [algorithm, aToken({ note: '?????~~~~~' }, aKey(algorithm))]),
);
const tokenOf = (algorithm: Algorithm): string => honest.get(algorithm) ?? '';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const bytesOf = (part: string): Buffer => Buffer.from(part, 'base64url');
const jsonOf = (part: string): object => JSON.parse(bytesOf(part).toString()) as object;

/** Other ways to write the same bytes, or the same JSON; undefined where a part cannot be written so. */
const encodings: Readonly<Record<string, (part: string) => string | undefined>> = {
  'with padding': (part) => bytesOf(part).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
  'with one equals sign too many': (part) => `${part}=`,
  'in the alphabet of base64': (part) => part.replaceAll('-', '+').replaceAll('_', '/'),
  'with unused bits set': (part) => {
    const last = alphabet.indexOf(part.at(-1) ?? '');
    return part.length % 4 === 0 ? undefined : `${part.slice(0, -1)}${alphabet[last + 1]}`;
  },
  'as hexadecimal': (part) => bytesOf(part).toString('hex'),
  'encoded twice': (part) => Buffer.from(part).toString('base64url'),
  'percent-encoded': (part) => `%${part.charCodeAt(0).toString(16)}${part.slice(1)}`,
  'with a line break': (part) => `${part.slice(0, 76)}\n${part.slice(76)}`,
  'with a zero byte in front': (part) => Buffer.concat([Buffer.alloc(1), bytesOf(part)]).toString('base64url'),
  'with a zero byte behind': (part) => Buffer.concat([bytesOf(part), Buffer.alloc(1)]).toString('base64url'),
  'without its last byte': (part) => bytesOf(part).subarray(0, -1).toString('base64url'),
  'in other letters': (part) => (part === part.toUpperCase() ? undefined : part.toUpperCase()),
};

/** Other ways to write the same JSON. */
const spellings: Readonly<Record<string, (part: string) => string>> = {
  'with spaces': (part) => JSON.stringify(jsonOf(part), undefined, 1),
  'in another order': (part) => JSON.stringify(Object.fromEntries(Object.entries(jsonOf(part)).toReversed())),
  'with an escape': (part) => JSON.stringify(jsonOf(part)).replace('a', '\\u0061'),
  'after a byte order mark': (part) => `\ufeff${JSON.stringify(jsonOf(part))}`,
};

describe.each(algorithmNames)('a token of %s is refused', (algorithm) => {
  const token = tokenOf(algorithm);
  const parts = token.split('.');
  const withPart = (index: number, part: string): string => parts.with(index, part).join('.');

  it('unless it is the honest one', () => expect(isRefused(token, algorithm)).toBe(false));

  it('with any single bit of its text flipped', () => {
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.nat(15), (index, bit) => {
        const flipped = String.fromCharCode(token.charCodeAt(index) ^ (1 << bit));
        return isRefused(token.slice(0, index) + flipped + token.slice(index + 1), algorithm);
      }),
      { numRuns: 120 },
    );
  });

  it('with any single bit of its bytes flipped', () => {
    const sizes = parts.map((part) => bytesOf(part).length);
    fc.assert(
      fc.property(fc.nat(2), fc.nat(), fc.nat(7), (index, position, bit) => {
        const bytes = bytesOf(parts[index] ?? '');
        const at = position % (sizes[index] ?? 1);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        return isRefused(withPart(index, bytes.toString('base64url')), algorithm);
      }),
      { numRuns: 120 },
    );
  });

  it('with any character inserted', () => {
    const character = fc.oneof(
      fc.constantFrom(...alphabet, '.', '=', ' ', '\n', '\0'),
      fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.nat(token.length), character, (index, inserted) =>
        isRefused(token.slice(0, index) + inserted + token.slice(index), algorithm),
      ),
      { numRuns: 120 },
    );
  });

  it('with any character left out, or two of them swapped', () => {
    fc.assert(
      fc.property(fc.nat(token.length - 2), (index) => {
        const [one = '', other = ''] = token.slice(index, index + 2);
        const [before, after] = [token.slice(0, index), token.slice(index + 2)];
        return (
          isRefused(before + other + after, algorithm) &&
          (one === other || isRefused(before + other + one + after, algorithm))
        );
      }),
      { numRuns: 60 },
    );
  });

  it.each(Object.entries(encodings))('with a part written %s', (_name, encode) => {
    const rewritten = parts.map(encode);
    for (const [index, part] of rewritten.entries()) {
      if (part === undefined || part === parts[index]) continue;
      expect(isRefused(withPart(index, part), algorithm)).toBe(true);
      // The same, signed by who holds the key: still not how a JWS is written, or not the JSON that was meant.
      if (index < 2)
        expect(isRefused(signed(withPart(index, part).replace(/\.[^.]*$/, ''), aKey(algorithm)), algorithm)).toBe(true);
    }
    expect(rewritten.some((part, index) => part !== undefined && part !== parts[index])).toBe(true);
  });

  it.each(Object.entries(spellings))('with its JSON written %s', (_name, spell) => {
    for (const index of [0, 1]) {
      const part = Buffer.from(spell(parts[index] ?? '')).toString('base64url');
      expect(isRefused(withPart(index, part), algorithm)).toBe(true);
    }
  });
});

describe('J28 the twin of an ECDSA signature', () => {
  const orders = {
    ES256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    ES384: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    ES512: `01${'ff'.repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`,
  } as const;

  it.each(Object.entries(orders))(
    '%s fits, as the standard has it: so nothing may be keyed on the text of a token',
    (name, order) => {
      const algorithm = name as keyof typeof orders;
      const token = tokenOf(algorithm);
      const dot = token.lastIndexOf('.') + 1;
      const signature = bytesOf(token.slice(dot));
      const size = signature.length / 2;
      const s = BigInt(`0x${order}`) - BigInt(`0x${signature.subarray(size).toString('hex')}`);
      const twin = Buffer.concat([
        signature.subarray(0, size),
        Buffer.from(s.toString(16).padStart(2 * size, '0'), 'hex'),
      ]);
      const other = token.slice(0, dot) + twin.toString('base64url');
      expect(other).not.toBe(token);
      expect(verifyJwt(other, { ...expected, keys: aKey(algorithm) }).claims.jti).toBe('j1');
    },
  );
});
