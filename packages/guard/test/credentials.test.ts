import { describe, expect, it } from 'vitest';
import { authorizationLines, readCredentials } from '../src/credentials.ts';

const read = (...authorization: string[]) => readCredentials({ authorization });

describe('B5 credentials', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER abc', 'bEaReR abc'])('finds the token in %j', (line) => {
    expect(read(line)).toEqual({ kind: 'bearer', token: 'abc' });
  });

  it('keeps the case and every character of the token', () => {
    expect(read('Bearer aB0-_.~+/==')).toEqual({ kind: 'bearer', token: 'aB0-_.~+/==' });
  });

  it.each([
    '',
    'Basic YTpi',
    'Basic YTpi, Bearer abc',
    'Bearerabc',
    'Bearer,abc',
    'abc',
    'Digest username="Bearer abc"',
  ])('takes %j for no credentials', (line) => {
    expect(read(line)).toEqual({ kind: 'absent' });
  });

  it('takes a request without the header for no credentials', () => {
    expect(read()).toEqual({ kind: 'absent' });
  });
});

describe('B2 malformed credentials', () => {
  it.each([
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer  abc',
    'Bearer\tabc',
    'Bearer abc ',
    'Bearer a\nb',
    'Bearer abc, Bearer abc',
  ])('refuses %j', (line) => {
    expect(read(line)).toEqual({ kind: 'malformed' });
  });

  it.each([
    ['twice the same', ['Bearer abc', 'Bearer abc']],
    ['a bearer token and another scheme', ['Basic YTpi', 'Bearer abc']],
    ['two of another scheme', ['Basic YTpi', 'Basic YTpi']],
  ])('refuses two headers: %s', (_, lines) => {
    expect(read(...lines)).toEqual({ kind: 'malformed' });
  });

  it.each(['/todos?access_token=abc', '/todos?a=1&access_token=', '/todos?access%5Ftoken=abc'])(
    'refuses a token sent by header and by query: %s',
    (target) => {
      expect(readCredentials({ authorization: ['Bearer abc'], target })).toEqual({ kind: 'malformed' });
    },
  );
});

describe('B4 token in the query', () => {
  it('is never read', () => {
    expect(readCredentials({ authorization: [], target: '/todos?access_token=abc' })).toEqual({ kind: 'absent' });
  });

  it('does not mind other parameters and paths', () => {
    for (const target of ['/todos?page=2', '/access_token=abc', '/todos?x=access_token', '/todos?']) {
      expect(readCredentials({ authorization: ['Bearer abc'], target })).toEqual({ kind: 'bearer', token: 'abc' });
    }
  });
});

describe('authorizationLines', () => {
  it('finds every line, whatever its case, and only values of that name', () => {
    const rawHeaders = ['Host', 'authorization', 'Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b', 'X', 'y'];
    expect(authorizationLines({ rawHeaders })).toEqual(['Bearer a', 'Bearer b']);
  });
});
