import { describe, expect, it } from 'vitest';
import { type CredentialSource, resolveSources } from '../../src/credentials/credential-source.ts';
import { createCredentialsReader, type SeveralCredentials } from '../../src/credentials/credentials.ts';
import type { GuardedRequest } from '../../src/credentials/guarded-request.ts';

const absent = { kind: 'absent' };
const malformed = { kind: 'malformed' };
const token = (value: string) => ({ kind: 'token', token: value, mayBeForged: false });

/** Reads a request by these sources; the body counts as read. */
const readBy =
  (sources: readonly CredentialSource[], several: SeveralCredentials = 'refuse') =>
  ({ authorization = [], ...request }: Partial<GuardedRequest>, body?: unknown) =>
    createCredentialsReader(resolveSources(sources), several)({ authorization, ...request }, body);

const byDefault = readBy([{ in: 'header' }]);
const read = (...authorization: string[]) => byDefault({ authorization });

/** Headers of a request, by lower-case name. */
const headers = (lines: Readonly<Record<string, string | readonly string[]>>) => ({
  header: (name: string) => [lines[name] ?? []].flat(),
});

describe('B5 the Authorization header', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER abc', 'bEaReR abc'])('finds the token in %j', (line) => {
    expect(read(line)).toEqual(token('abc'));
  });

  it('keeps the case and every character of the token', () => {
    expect(read('Bearer aB0-_.~+/==')).toEqual(token('aB0-_.~+/=='));
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
    expect(read(line)).toEqual(absent);
  });

  it('takes a request without the header for no credentials', () => {
    expect(read()).toEqual(absent);
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
    expect(read(line)).toEqual(malformed);
  });

  it.each([
    ['twice the same', ['Bearer abc', 'Bearer abc']],
    ['a bearer token and another scheme', ['Basic YTpi', 'Bearer abc']],
    ['two of another scheme', ['Basic YTpi', 'Basic YTpi']],
  ])('refuses two headers: %s', (_, lines) => {
    expect(read(...lines)).toEqual(malformed);
  });

  it.each(['/todos?access_token=abc', '/todos?a=1&access_token=', '/todos?access%5Ftoken=abc'])(
    'refuses a token sent by header and by query: %s',
    (target) => {
      expect(byDefault({ authorization: ['Bearer abc'], target })).toEqual(malformed);
    },
  );
});

describe('a header of a configured scheme or name', () => {
  it('reads the scheme in any case, and no other', () => {
    const readToken = readBy([{ in: 'header', scheme: 'Token' }]);
    expect(readToken({ authorization: ['token abc'] })).toEqual(token('abc'));
    expect(readToken({ authorization: ['Token'] })).toEqual(malformed);
    for (const line of ['Bearer abc', 'Tokens abc', 'Toke n']) {
      expect(readToken({ authorization: [line] })).toEqual(absent);
    }
  });

  it('reads a bare token', () => {
    const readBare = readBy([{ in: 'header', scheme: '' }]);
    expect(readBare({ authorization: ['abc'] })).toEqual(token('abc'));
    expect(readBare({ authorization: ['Bearer abc'] })).toEqual(malformed);
    expect(readBare({ authorization: [''] })).toEqual(absent);
  });

  it('reads another header, once', () => {
    const readOwn = readBy([{ in: 'header', name: 'X-Access-Token', scheme: '' }]);
    expect(readOwn(headers({ 'x-access-token': 'abc' }))).toEqual(token('abc'));
    expect(readOwn(headers({ 'x-access-token': ['abc', 'abc'] }))).toEqual(malformed);
    expect(readOwn({ authorization: ['Bearer abc'] })).toEqual(absent);
  });
});

describe('B4 a token in the query', () => {
  it('is never read unless the guard is told to', () => {
    expect(byDefault({ target: '/todos?access_token=abc' })).toEqual(absent);
  });

  it('does not mind other parameters and paths', () => {
    for (const target of ['/todos?page=2', '/access_token=abc', '/todos?x=access_token', '/todos?', '/todos?%']) {
      expect(byDefault({ authorization: ['Bearer abc'], target })).toEqual(token('abc'));
    }
  });

  it('is read where the guard is told to', () => {
    const readQuery = readBy([{ in: 'query', parameter: 'token' }]);
    expect(readQuery({ target: '/todos?page=2&token=abc' })).toEqual(token('abc'));
    expect(readQuery({ target: '/todos?%74oken=abc' })).toEqual(token('abc'));
    expect(readQuery({ target: 'https://api.example.test/todos?token=abc' })).toEqual(token('abc'));
    expect(readQuery({ target: '/todos?access_token=abc' })).toEqual(absent);
    expect(readQuery({})).toEqual(absent);
  });

  it.each(['?token=a&token=b', '?token=', '?token=a+b', '?token=a%0Ab'])('is refused as %s', (query) => {
    expect(readBy([{ in: 'query', parameter: 'token' }])({ target: `/todos${query}` })).toEqual(malformed);
  });
});

describe('a token in the body', () => {
  const readBody = readBy([{ in: 'body' }]);

  it('is read from its own field', () => {
    expect(readBody({}, { access_token: 'abc', title: 'x' })).toEqual(token('abc'));
    expect(readBy([{ in: 'body', field: 'jwt' }])({}, { jwt: 'abc' })).toEqual(token('abc'));
  });

  it.each([[undefined], [null], ['access_token=abc'], [[]], [{}], [Object.create({ access_token: 'abc' })]])(
    'is not found in %j',
    (body) => {
      expect(readBody({}, body)).toEqual(absent);
    },
  );

  it.each([[''], ['a b'], [['abc', 'def']], [1], [{ token: 'abc' }], [null], [true]])('is refused as %j', (value) => {
    expect(readBody({}, { access_token: value })).toEqual(malformed);
  });
});

describe('several sources', () => {
  const sources: readonly CredentialSource[] = [
    { in: 'header' },
    { in: 'cookie', name: 'token' },
    { in: 'query' },
    { in: 'body' },
  ];
  const byHeader = { authorization: ['Bearer header'] };
  const byCookie = { method: 'GET', ...headers({ cookie: 'token=cookie' }) };
  const byQuery = { target: '/?access_token=query' };
  const byBody = { access_token: 'body' };

  it('are asked for the one that brings a token', () => {
    const readAny = readBy(sources);
    expect(readAny(byHeader)).toEqual(token('header'));
    expect(readAny(byCookie)).toEqual(token('cookie'));
    expect(readAny(byQuery)).toEqual(token('query'));
    expect(readAny({}, byBody)).toEqual(token('body'));
    expect(readAny({})).toEqual(absent);
  });

  it('B2 are refused when two bring one, even the same', () => {
    const readAny = readBy(sources);
    expect(readAny({ ...byHeader, ...byCookie })).toEqual(malformed);
    expect(readAny({ ...byHeader, ...byQuery })).toEqual(malformed);
    expect(readAny(byCookie, byBody)).toEqual(malformed);
    expect(readAny({ authorization: ['Bearer same'], ...headers({ cookie: 'token=same' }) })).toEqual(malformed);
  });

  it('are believed in their order where the guard is told to', () => {
    expect(readBy(sources, 'first-match')({ ...byHeader, ...byCookie })).toEqual(token('header'));
    expect(readBy(sources.toReversed(), 'first-match')({ ...byHeader, ...byCookie })).toEqual(token('cookie'));
  });

  it('B2 are refused all the same when the query, which is not read, brings another token', () => {
    const request = { ...byHeader, target: '/todos?access_token=query' };
    const unread = sources.filter((source) => source.in !== 'query');
    expect(readBy(unread, 'first-match')(request)).toEqual(malformed);
  });

  it('never fall back from a malformed credential to another one', () => {
    const request = { ...byCookie, authorization: ['Bearer'] };
    expect(readBy(sources)(request)).toEqual(malformed);
    expect(readBy(sources, 'first-match')(request)).toEqual(malformed);
  });

  it('do not mind another scheme beside a cookie', () => {
    expect(readBy(sources)({ ...byCookie, authorization: ['Basic YTpi'] })).toEqual(token('cookie'));
  });
});
