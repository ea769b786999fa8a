import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import {
  type Algorithm,
  exportJwk,
  exportPublicJwk,
  generateKey,
  importKey,
  type JwtKey,
  signJwt,
  verifyJwt,
} from '@sallyport/jwt';
import { importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { compare, type Contender, type Ratio, repeat, repeatAsync } from './rounds.ts';

const issuer = 'https://auth.example.com';
const audience = 'https://api.example.com';
const algorithms = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const satisfies readonly Algorithm[];

function aClaims(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    sub: '7f0c6a2e-3a52-4b0f-9c2b-0d9f5a3b6f10',
    aud: audience,
    client_id: 'bench',
    iat: now,
    exp: now + 900,
    jti: 'c2Vzc2lvbjE',
    sid: 'AAECAwQFBgc',
    scope: 'todos:read todos:write',
    roles: ['user'],
  };
}

/** The primitive alone on the same bytes: no parsing, no claims. It is the speed nothing built on it can pass. */
function rawPrimitive(algorithm: (typeof algorithms)[number], key: JwtKey, token: string): [Contender, Contender] {
  const input = Buffer.from(token.slice(0, token.lastIndexOf('.')));
  const signature = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url');
  const jwk = exportJwk(key);
  if (algorithm === 'HS256') {
    const secret = createSecretKey(Buffer.from(String(jwk['k']), 'base64url'));
    const mac = (): Buffer => createHmac('sha256', secret).update(input).digest();
    return [repeat(() => timingSafeEqual(mac(), signature)), repeat(mac)];
  }
  const digest = algorithm === 'EdDSA' ? undefined : 'sha256';
  const encoding = algorithm === 'ES256' ? ({ dsaEncoding: 'ieee-p1363' } as const) : {};
  const publicKey = { key: createPublicKey({ key: { ...exportPublicJwk(key) }, format: 'jwk' }), ...encoding };
  const privateKey = { key: createPrivateKey({ key: { ...jwk }, format: 'jwk' }), ...encoding };
  return [repeat(() => verify(digest, input, publicKey, signature)), repeat(() => sign(digest, input, privateKey))];
}

async function measure(algorithm: (typeof algorithms)[number]): Promise<[Ratio[], Ratio[]]> {
  const key = await generateKey(algorithm);
  const claims = aClaims();
  const token = signJwt(claims, key, { typ: 'at+jwt' });
  const [rawVerify, rawSign] = rawPrimitive(algorithm, key, token);

  const keys = algorithm === 'HS256' ? key : importKey(exportPublicJwk(key));
  const options = { keys, algorithms: [algorithm], issuer, audience, typ: 'at+jwt' };
  const publicJwk = (algorithm === 'HS256' ? exportJwk(key) : exportPublicJwk(key)) as JWK;
  const joseVerifier = await importJWK(publicJwk, algorithm);
  const joseSigner = await importJWK(exportJwk(key) as JWK, algorithm);
  const header = { alg: algorithm, typ: 'at+jwt' };

  const verified = await compare({
    'node:crypto': rawVerify,
    sallyport: repeat(() => verifyJwt(token, options)),
    jose: repeatAsync(() => jwtVerify(token, joseVerifier, { issuer, audience, algorithms: [algorithm] })),
  });
  const signed = await compare({
    'node:crypto': rawSign,
    sallyport: repeat(() => signJwt(claims, key, { typ: 'at+jwt' })),
    jose: repeatAsync(() => new SignJWT(claims).setProtectedHeader(header).sign(joseSigner)),
  });
  return [verified, signed];
}

const row = (operation: string, { name, perSecond, min, median, max }: Ratio): string =>
  `| ${operation} | ${name} | ${perSecond.toFixed(0)} | ${min.toFixed(2)} | ${median.toFixed(2)} | ${max.toFixed(2)} |`;

/** Verifies and signs one token per algorithm: ours and jose against the bare primitive. */
export async function benchJwt(): Promise<string> {
  const rows: string[] = [];
  for (const algorithm of algorithms) {
    const [verified, signed] = await measure(algorithm);
    rows.push(...verified.map((ratio) => row(`${algorithm} verify`, ratio)));
    rows.push(...signed.map((ratio) => row(`${algorithm} sign`, ratio)));
  }
  return [
    '## jwt: one token, one key, one call after the other',
    '',
    'Speed relative to the bare `node:crypto` primitive of the same round (1.00 = as fast); calls per second are the median.',
    '`jose` works on WebCrypto and is awaited call by call, as a request handler does; in parallel it does better.',
    '',
    '| operation | by | calls/s | min | median | max |',
    '|---|---|--:|--:|--:|--:|',
    ...rows,
  ].join('\n');
}
