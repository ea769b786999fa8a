import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookieValues } from '../../src/credentials/cookies.ts';

const values = (...lines: string[]) => cookieValues(lines, '__Host-token');

describe('S11 cookieValues', () => {
  it('finds a cookie wherever it stands', () => {
    expect(values('__Host-token=abc')).toEqual(['abc']);
    expect(values('a=1; __Host-token=abc; b=2')).toEqual(['abc']);
    expect(values('a=1', '__Host-token=abc')).toEqual(['abc']);
    expect(values('a=1;__Host-token=abc')).toEqual(['abc']);
  });

  it('keeps the value as it is', () => {
    expect(values('__Host-token=a=b%20"c"; x')).toEqual(['a=b%20"c"']);
    expect(values('__Host-token=')).toEqual(['']);
  });

  it('finds every one of several', () => {
    expect(values('__Host-token=a; __Host-token=b', '__Host-token=c')).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['another name', '__host-token=abc'],
    ['a longer name', '__Host-token2=abc'],
    ['a name inside a value', 'a=__Host-token=abc'],
    ['a pair without equals sign', '__Host-token'],
    ['a space before the equals sign', '__Host-token =abc'],
    ['a second space before the name', 'a=1;  __Host-token=abc'],
    ['a tab before the name', '\t__Host-token=abc'],
    ['a no-break space before the name', 'a=1; \u00a0__Host-token=abc'],
    ['a wide space before the name', 'a=1; \u2000__Host-token=abc'],
    ['a quoted name', '"__Host-token"=abc'],
    ['an escaped name', '__Host%2Dtoken=abc'],
    ['another separator', 'a=1, __Host-token=abc'],
    ['a $Version', '$Version=1,__Host-token=abc'],
    ['nothing', ''],
  ])('does not take %s for the cookie', (_, line) => {
    expect(values(line)).toEqual([]);
  });

  it('finds what was set among whatever else is sent', () => {
    const other = fc
      .string({ unit: 'binary' })
      .filter((pair) => !pair.includes(';') && !pair.trimStart().startsWith('__Host-token='));
    fc.assert(
      fc.property(fc.array(other), fc.array(other), fc.stringMatching(/^[\w.-]+$/), (before, after, value) => {
        expect(values([...before, `__Host-token=${value}`, ...after].join('; '))).toEqual([value]);
      }),
    );
  });
});
