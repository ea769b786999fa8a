import { createHash } from 'node:crypto';
import { isKeyType, materialMember, refused, thumbprintMembers, type Jwk } from './jwk.ts';
import { JwtKey, keyMaterial } from './key.ts';

/**
 * Computes the thumbprint of a key: base64url of a SHA-256 over its required members.
 *
 * The same for the private and the public half. The thumbprint of a secret lets others test guesses of it: keep it private.
 *
 * @example
 * import { generateKey, jwkThumbprint } from '@sallyport/jwt';
 *
 * const thumbprint = jwkThumbprint(await generateKey('ES256'));
 *
 * @throws {JwtError} `key_invalid` when a required member is missing or malformed
 * @see {@link https://www.rfc-editor.org/rfc/rfc7638.html#section-3 RFC 7638, section 3}
 */
export function jwkThumbprint(key: Jwk | JwtKey): string {
  return thumbprintOfJwk(key instanceof JwtKey ? (keyMaterial(key).verifying.export({ format: 'jwk' }) as Jwk) : key);
}

/** The thumbprint of a JWK, without the convenience of {@link jwkThumbprint}. */
export function thumbprintOfJwk(jwk: Jwk): string {
  if (!isKeyType(jwk.kty)) throw refused('the key type is not supported');
  const required = thumbprintMembers(jwk.kty).map((member) => [member, requiredMember(jwk, member)]);
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(required)))
    .digest('base64url');
}

function requiredMember(jwk: Jwk, member: string): string {
  if (member === 'kty') return jwk.kty;
  return member === 'crv' ? (jwk.crv ?? '') : materialMember(jwk, member);
}
