import { describe, expect, it } from 'vitest';
import { fromDer, toDer } from '../src/ecdsa-signature.ts';

/** A coordinate that ends in these digits. */
const number = (size: number, digits: string): string => digits.padStart(2 * size, '0');
const long = '7f'.repeat(66);

describe('an ECDSA signature of r and s, side by side, is in DER', () => {
  it.each<[string, number, string, string, string]>([
    ['short numbers without their zeros', 32, '01', '0203', '3007 020101 02020203'],
    ['zero as one byte', 32, '00', '00', '3006 020100 020100'],
    ['a first bit behind a zero byte', 32, '80', '7f', '3007 02020080 02017f'],
    [
      'numbers as long as the curve',
      32,
      'ff'.repeat(32),
      '7f'.repeat(32),
      `3045 022100${'ff'.repeat(32)} 0220${'7f'.repeat(32)}`,
    ],
    ['numbers with a zero inside', 48, '010000', '8000', '300a 0203010000 0203008000'],
    [
      'one of 127 bytes with a short length',
      66,
      long.slice(0, 2 * 61),
      long.slice(0, 2 * 62),
      `307f 023d${long.slice(0, 2 * 61)} 023e${long.slice(0, 2 * 62)}`,
    ],
    [
      'one of 128 bytes with a long length',
      66,
      long.slice(0, 2 * 62),
      long.slice(0, 2 * 62),
      `308180 023e${long.slice(0, 2 * 62)} 023e${long.slice(0, 2 * 62)}`,
    ],
    ['the longest of P-521', 66, long, long, `308188 0242${long} 0242${long}`],
  ])('%s', (_name, size, r, s, der) => {
    const plain = Buffer.from(number(size, r) + number(size, s), 'hex');
    const encoded = Buffer.from(der.replaceAll(' ', ''), 'hex');
    expect(toDer(plain, size).toString('hex')).toBe(encoded.toString('hex'));
    expect(fromDer(encoded, size).toString('hex')).toBe(plain.toString('hex'));
  });
});
