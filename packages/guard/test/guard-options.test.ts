import { describe, expect, it } from 'vitest';
import { createGuard, type GuardOptions } from '@sallyport/guard';
import { z } from 'zod';
import { secretKey } from '@sallyport/jwt';
import { audience, issuer, issuerKey, issuerKeys } from './tokens.ts';

const good = { issuer, audience, keys: issuerKeys };
const creating =
  (options: unknown): (() => unknown) =>
  () =>
    createGuard(options as GuardOptions);

describe('B11 guard options', () => {
  it.each([
    ['a JWK Set', { keys: issuerKeys }],
    ['a key', { keys: issuerKey }],
    ['a secret', { keys: secretKey('a secret that is long enough to be used') }],
    ['several keys', { keys: [issuerKey] }],
    ['an issuer on a loopback address', { issuer: 'http://127.0.0.1:8000' }],
    ['an issuer on localhost', { issuer: 'http://localhost:8000' }],
    ['an issuer on ::1', { issuer: 'http://[::1]:8000' }],
    ['an issuer with a path', { issuer: 'https://example.test/tenants/1' }],
    ['several audiences', { audience: ['a', 'b'] }],
    [
      'credentials of every kind',
      { credentials: [{ in: 'header' }, { in: 'cookie' }, { in: 'body' }, { in: 'query' }] },
    ],
    ['a header of its own', { credentials: [{ in: 'header', name: 'X-Token', scheme: '' }] }],
    ['a cookie of its own', { credentials: [{ in: 'cookie', name: 'token', trustedOrigins: ['https://a.test'] }] }],
    ['several credentials', { severalCredentials: 'first-match' }],
    ['preflights that pass', { preflight: 'pass' }],
    ['a schema of claims', { claims: z.object({ tenant: z.string() }) }],
    ['scopes with a sentence each', { scopes: { 'todos:read': 'See your todos' } }],
    ['roles', { roles: ['admin'] }],
    ['a token endpoint elsewhere', { tokenEndpoint: 'https://login.example.test/oauth/token' }],
    ['no token endpoint', { tokenEndpoint: false }],
    ['every option', { realm: 'todos', typ: 'JWT', clockTolerance: 0, now: () => new Date(), onUnavailable: () => {} }],
  ])('accepts %s', (_, options) => {
    expect(creating({ ...good, ...options })).not.toThrow();
  });

  it('needs no keys: the issuer publishes them', () => {
    expect(creating({ issuer, audience })).not.toThrow();
  });

  it.each([
    ['nothing', undefined],
    ['no issuer', { audience, keys: issuerKeys }],
    ['no audience', { issuer, keys: issuerKeys }],
    ['an empty issuer', { ...good, issuer: '' }],
    ['an issuer by http', { ...good, issuer: 'http://auth.example.test' }],
    ['an issuer that only looks like loopback', { ...good, issuer: 'http://127.0.0.1.example.test' }],
    ['an issuer hidden behind user information', { ...good, issuer: 'http://localhost@auth.example.test' }],
    ['an issuer with user information', { ...good, issuer: 'https://user:pass@auth.example.test' }],
    ['an issuer with a quote', { ...good, issuer: 'https://auth.example.test/"' }],
    ['an issuer with a line break', { ...good, issuer: 'https://auth.example.test/\n' }],
    ['an issuer with a query', { ...good, issuer: 'https://auth.example.test?a=b' }],
    ['an issuer with a fragment', { ...good, issuer: 'https://auth.example.test#a' }],
    ['an issuer that is no URL', { ...good, issuer: 'auth.example.test' }],
    ['an issuer of another scheme', { ...good, issuer: 'file:///etc/passwd' }],
    ['a list of issuers', { ...good, issuer: [issuer] }],
    ['an empty audience', { ...good, audience: '' }],
    ['an empty list of audiences', { ...good, audience: [] }],
    ['an audience of spaces', { ...good, audience: [' '] }],
    ['a pattern as audience', { ...good, audience: /api/ }],
    ['keys that are missing', { ...good, keys: undefined }],
    ['keys as text', { ...good, keys: 'secret' }],
    ['an empty list of keys', { ...good, keys: [] }],
    ['an empty JWK Set', { ...good, keys: { keys: [] } }],
    ['a change source that is none', { ...good, changes: {} }],
    ['a change source that is missing', { ...good, changes: undefined }],
    ['a list of revoked tokens that cannot be asked', { ...good, isRevoked: new Set(['token-1']) }],
    ['no credentials', { ...good, credentials: [] }],
    ['credentials that are no list', { ...good, credentials: { in: 'header' } }],
    ['credentials nowhere', { ...good, credentials: [{}] }],
    ['credentials somewhere unknown', { ...good, credentials: [{ in: 'path' }] }],
    ['credentials in what every object has', { ...good, credentials: [{ in: 'constructor' }] }],
    ['a misspelt member of a source', { ...good, credentials: [{ in: 'header', schema: 'Token' }] }],
    ['a member of another source', { ...good, credentials: [{ in: 'cookie', field: 'token' }] }],
    ['a member that is missing', { ...good, credentials: [{ in: 'cookie', name: undefined }] }],
    ['a scheme with a space', { ...good, credentials: [{ in: 'header', scheme: 'My Token' }] }],
    ['a cookie name with a separator', { ...good, credentials: [{ in: 'cookie', name: 'a;b' }] }],
    ['an origin with a path', { ...good, credentials: [{ in: 'cookie', trustedOrigins: ['https://a.test/'] }] }],
    ['any origin', { ...good, credentials: [{ in: 'cookie', trustedOrigins: ['*'] }] }],
    ['the origin null', { ...good, credentials: [{ in: 'cookie', trustedOrigins: ['null'] }] }],
    ['no rule for several credentials', { ...good, severalCredentials: 'last' }],
    ['a rule for preflights nobody knows', { ...good, preflight: true }],
    ['a schema that is none', { ...good, claims: { parse: () => ({}) } }],
    ['scopes as a list', { ...good, scopes: ['todos:read'] }],
    ['no scopes', { ...good, scopes: {} }],
    ['scopes with a space', { ...good, scopes: { 'todos read': 'See your todos' } }],
    ['a scope without a sentence', { ...good, scopes: { 'todos:read': true } }],
    ['a token endpoint that is no URL', { ...good, tokenEndpoint: '/token' }],
    ['a token endpoint that is just there', { ...good, tokenEndpoint: true }],
    ['no roles', { ...good, roles: [] }],
    ['one role as text', { ...good, roles: 'admin' }],
    ['a realm with a quote', { ...good, realm: 'a"b' }],
    ['a realm with a line break', { ...good, realm: 'a\r\nb' }],
    ['an empty realm', { ...good, realm: '' }],
    ['an empty typ', { ...good, typ: '' }],
    ['a tolerance over a minute', { ...good, clockTolerance: 61 }],
    ['a negative tolerance', { ...good, clockTolerance: -1 }],
    ['a tolerance that is not a number', { ...good, clockTolerance: Number.NaN }],
    ['a moment instead of a clock', { ...good, now: new Date() }],
    ['an unknown option', { ...good, audiences: audience }],
  ])('refuses %s', (_, options) => {
    expect(creating(options)).toThrow(TypeError);
  });

  it('lists every problem at once', () => {
    expect(creating({ isuer: issuer, typ: '' })).toThrow(
      /issuer must be.*audience must be.*unknown option "isuer" \(known: issuer, audience.*typ must be/,
    );
  });

  it('never repeats a value in its message', () => {
    const secret = 'correct-horse-battery-staple';
    expect(creating({ ...good, keys: secret, typ: [secret], realm: `${secret}"` })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) as string }),
    );
  });
});
