import { describe, expect, it } from 'vitest';
import { fetchRequest, nodeRequest } from '@sallyport/guard';

describe('nodeRequest', () => {
  const rawHeaders = ['Host', 'authorization', 'Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b', 'X-Y', 'z'];

  it('finds every line, whatever its case, and only values of that name', () => {
    const request = nodeRequest({ rawHeaders });
    expect(request.authorization).toEqual(['Bearer a', 'Bearer b']);
    expect(request.header?.('x-y')).toEqual(['z']);
    expect(request.header?.('y')).toEqual([]);
  });

  it('tells method and target, the latter as the framework received it', () => {
    const request = { rawHeaders, method: 'POST', url: '/b' };
    expect(nodeRequest(request)).toMatchObject({ method: 'POST', target: '/b' });
    expect(nodeRequest(request, { target: '/a/b' })).toMatchObject({ target: '/a/b' });
  });

  it('says nothing about what is not there', () => {
    expect(Object.keys(nodeRequest({ rawHeaders: [] }))).toEqual(['authorization', 'header']);
  });
});

describe('fetchRequest', () => {
  const requestWith = (...authorization: string[]) => {
    const headers = new Headers(authorization.map((line): [string, string] => ['authorization', line]));
    return fetchRequest(new Request('https://api.example.test/todos?page=2', { headers }));
  };

  it('tells method and target', () => {
    expect(requestWith()).toMatchObject({ method: 'GET', target: 'https://api.example.test/todos?page=2' });
  });

  it.each([
    [['Bearer a']],
    [['Bearer a', 'Bearer b']],
    [['Basic YTpi', 'Bearer a']],
    [['Digest username="a", realm="b"', 'Bearer c']],
    [['Bearer', 'Bearer a']],
  ])('B5 tells the lines apart that Fetch has joined: %j', (lines) => {
    expect(requestWith(...lines).authorization).toEqual(lines);
  });

  it.each(['Digest username="a", realm="b", nonce="c"', 'Bearer a,b', 'Basic YTpi'])(
    'takes %j for one line',
    (line) => {
      expect(requestWith(line).authorization).toEqual([line]);
    },
  );

  it('finds other headers by name', () => {
    const headers = { cookie: 'a=1; b=2', origin: 'https://app.example.test' };
    const request = fetchRequest(new Request('https://api.example.test/', { headers }));
    expect([request.header?.('cookie'), request.header?.('x')]).toEqual([['a=1; b=2'], []]);
  });
});
