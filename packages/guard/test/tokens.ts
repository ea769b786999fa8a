import { createHmac } from 'node:crypto';
import {
  exportPublicJwk,
  generateKey,
  type JwtClaims,
  type JwtKey,
  jwkSet,
  type JwkSet,
  publicKey,
  signJwt,
} from '@sallyport/jwt';

export const issuer = 'https://auth.example.test';
export const audience = 'https://api.example.test';

/** The issuer's key, and the set in which it publishes the public half. */
export const issuerKey: JwtKey = await generateKey('ES256', { keyId: 'issuer-1' });
export const issuerKeys: JwkSet = jwkSet([publicKey(issuerKey)]);

/** A key of somebody else, who calls it by the issuer's key id. */
const strangerKey: JwtKey = await generateKey('ES256', { keyId: 'issuer-1' });

let issued = 0;

export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** The claims of a good access token, with some of them changed; `undefined` takes one away. */
export function someClaims(changes: Readonly<Record<string, unknown>> = {}): JwtClaims {
  issued += 1;
  const claims = {
    iss: issuer,
    sub: 'user-1',
    aud: audience,
    client_id: 'web',
    iat: inSeconds(0),
    exp: inSeconds(600),
    jti: `token-${issued}`,
    sid: 'session-1',
    scope: 'todos:read',
    roles: ['user'],
    ...changes,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

export function anAccessToken(changes: Readonly<Record<string, unknown>> = {}, key: JwtKey = issuerKey): string {
  return signJwt(someClaims(changes), key, { typ: 'at+jwt' });
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens no honest issuer makes, by the attack's name. */
export function forgedTokens(): Readonly<Record<string, string>> {
  const claims = encode(someClaims({ sub: 'admin', roles: ['admin'], scope: '*' }));
  const good = anAccessToken();
  const [header = '', payload = '', signature = ''] = good.split('.');
  const publicJwk = exportPublicJwk(issuerKey);
  const unsigned = (alg: string): string => `${encode({ alg, kid: 'issuer-1', typ: 'at+jwt' })}.${claims}.`;
  const hmacInput = `${encode({ alg: 'HS256', kid: 'issuer-1', typ: 'at+jwt' })}.${claims}`;
  const hmac = createHmac('sha256', JSON.stringify(publicJwk)).update(hmacInput).digest('base64url');
  return {
    'alg-none': unsigned('none'),
    'alg-none-mixed-case': unsigned('nOnE'),
    'hs256-with-public-key': `${hmacInput}.${hmac}`,
    'stranger-key': anAccessToken({}, strangerKey),
    'changed-claims': `${header}.${claims}.${signature}`,
    'cut-signature': good.slice(0, -2),
    'empty-signature': `${header}.${payload}.`,
    'two-parts': `${header}.${payload}`,
    'json-serialisation': encode({ payload, signatures: [{ protected: header, signature }] }),
    'header-injection': `${encode({ alg: 'ES256', kid: '", error="x"\r\nset-cookie: a=b', typ: 'at+jwt' })}.${payload}.${signature}`,
    'kid-traversal': `${encode({ alg: 'ES256', kid: '../../dev/null', typ: 'at+jwt' })}.${payload}.${signature}`,
    'not-a-token': 'garbage',
    'percent-garbage': '%00%ff%2e%2e',
    braces: '{"alg":"none"}',
  };
}

/** Honest tokens that are not access tokens for this guard. */
export function foreignTokens(): Readonly<Record<string, string>> {
  return {
    'an id token': signJwt(someClaims(), issuerKey, { typ: 'JWT' }),
    'a logout token': signJwt(someClaims(), issuerKey, { typ: 'logout+jwt' }),
    'a refresh token': signJwt(someClaims(), issuerKey, { typ: 'refresh+jwt' }),
    'a token for somebody else': anAccessToken({ aud: 'https://other.example.test' }),
    'a token for nobody': anAccessToken({ aud: undefined }),
    'a token of another issuer': anAccessToken({ iss: `${issuer}/` }),
    'a token without subject': anAccessToken({ sub: undefined }),
    'a token that never expires': anAccessToken({ exp: undefined }),
    'a token of the future': anAccessToken({ nbf: inSeconds(300) }),
    'a token with a scope list': anAccessToken({ scope: ['todos:read'] }),
    'a token with one role as text': anAccessToken({ roles: 'admin' }),
    'a token with a made-up position': anAccessToken({ af: 'latest' }),
  };
}
