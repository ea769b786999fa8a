import { createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { JWK } from 'jose';
import { keyPair } from './key-pair.ts';

type Members = Readonly<Record<string, unknown>>;

const encode = (value: Members): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string): Members => JSON.parse(Buffer.from(part, 'base64url').toString()) as Members;

function partsOf(token: string): { header: Members; claims: Members; signature: string } {
  const [header = '', claims = '', signature = ''] = token.split('.');
  return { header: decode(header), claims: decode(claims), signature };
}

function withAttackerKey(input: string, key: KeyObject): string {
  return sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

/** Tokens nobody may accept, made from a good one and the keys its issuer publishes; by the name of the attack. */
export function forgedTokens(token: string, published: JWK): Readonly<Record<string, string>> {
  const { header, claims, signature } = partsOf(token);
  const unsigned = (head: Members, body: Members = claims): string => `${encode(head)}.${encode(body)}`;
  const attacker = keyPair('ec', 'P-256');
  const embedded = unsigned({ ...header, jwk: attacker.publicKey.export({ format: 'jwk' }) });
  const hmacInput = unsigned({ ...header, alg: 'HS256' });
  const publicPem = createPublicKey({ key: { ...published }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
  const hmac = (key: string): string => createHmac('sha256', key).update(hmacInput).digest('base64url');
  return {
    garbage: 'garbage',
    'three garbage parts': 'a.b.c',
    'tampered claims': `${unsigned(header, { ...claims, roles: ['admin'], scope: '*' })}.${signature}`,
    'tampered signature': `${token.slice(0, -10)}${token.at(-10) === 'A' ? 'B' : 'A'}${token.slice(-9)}`,
    'no signature': `${unsigned(header)}.`,
    'alg none': `${unsigned({ ...header, alg: 'none' })}.`,
    'alg nOnE with the old signature': `${unsigned({ ...header, alg: 'nOnE' })}.${signature}`,
    'HS256 with the public key as PEM': `${hmacInput}.${hmac(publicPem)}`,
    'HS256 with the public key as JWK': `${hmacInput}.${hmac(JSON.stringify(published))}`,
    'embedded key of the attacker': `${embedded}.${withAttackerKey(embedded, attacker.privateKey)}`,
    'unknown key id': `${unsigned({ ...header, kid: 'nobody00' })}.${signature}`,
  };
}
