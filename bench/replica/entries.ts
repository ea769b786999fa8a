import { randomBytes } from 'node:crypto';
import type { AccessToken } from '../../packages/guard/dist/replica/knowledge.js';
import { type Change, changeKinds } from '@sallyport/guard';

/** Far enough in the future that nothing expires meanwhile, in epoch seconds. */
export const later = 4_000_000_000;

/** An identifier as the issuer makes them. */
export const anId = (): string => randomBytes(12).toString('base64url');

/** So many ended sessions, oldest first; every hundredth is the end of all of a user's, every thousandth that of a token. */
export function* someChanges(count: number): Generator<Change> {
  const { sessionDead, userFloor, tokenDead } = changeKinds;
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const others = sequence % 1000 === 0 ? tokenDead : userFloor;
    const kind = sequence % 100 === 0 ? others : sessionDead;
    yield { sequence, kind, key: anId(), expiresAt: later, critical: true };
  }
}

/** The roles every log defines. */
export const roleChanges = (from: number): Change[] =>
  ['user', 'admin'].map((key, index) => ({
    sequence: from + index,
    kind: changeKinds.roleDefinition,
    key,
    expiresAt: undefined,
    critical: true,
    data: { scopes: ['todos:read', 'todos:write'] },
  }));

/** Distinct tokens that were made at a position of the log and that nothing hits. */
export function someTokens(count: number, af: number): readonly AccessToken[] {
  return Array.from({ length: count }, () => {
    const claims = {
      iss: 'https://auth.example.com',
      sub: crypto.randomUUID(),
      aud: 'https://api.example.com',
      client_id: 'web',
      iat: 1_800_000_000,
      exp: later,
      jti: anId(),
      sid: anId().slice(0, 11),
      scope: 'todos:read',
      roles: ['user'],
      af,
    };
    // As verification leaves them: text of its own.
    return { header: { alg: 'ES256', kid: 'key-1' }, claims: JSON.parse(JSON.stringify(claims)) as typeof claims };
  });
}
