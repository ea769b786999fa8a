import type { Access } from '@sallyport/guard';
import { GrantedAccess } from '../src/granted-access.ts';
import { AccessRefusedError } from '../src/access-refused-error.ts';
import { createRefusal } from '../src/refusal.ts';
import type { Vocabulary } from '../src/requirement.ts';
import { statedRights } from '../src/rights.ts';
import { audience, inSeconds, issuer } from './tokens.ts';

/** Somebody a guard has let in: the claims of the token say everything about them. */
export function aCaller(
  claims: Readonly<Record<string, unknown>> = {},
  { now = () => new Date(), vocabulary = {} }: { now?: () => Date; vocabulary?: Vocabulary } = {},
): Access {
  const stated = { iss: issuer, sub: 'user-1', aud: audience, exp: inSeconds(600), ...claims };
  const token = { header: { alg: 'ES256' } as const, claims: stated, typedClaims: stated };
  const refused = ({ code, ...wanted }: { code: Parameters<typeof createRefusal>[0] }): Error =>
    new AccessRefusedError(createRefusal(code, { realm: 'todos', ...wanted }));
  return new GrantedAccess({ token, text: '' }, statedRights(stated), { now, vocabulary, refused });
}
