import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeKinds, createGuard } from '@sallyport/guard';
import type { AccessTokenClaims } from '@sallyport/jwt';
import { resolveSources } from '../src/credentials/credential-source.ts';
import { createCredentialsReader } from '../src/credentials/credentials.ts';
import { Replica } from '../src/replica/replica.ts';
import { ChangeLog } from './change-log.ts';
import { anAccessToken, audience, issuer, issuerKeys } from './tokens.ts';

const anyLine = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .tuple(fc.constantFrom('Bearer', 'bearer', 'Basic', ''), fc.string({ unit: 'binary' }))
    .map((parts) => parts.join(' ')),
);

describe('whatever is sent', () => {
  const guard = createGuard({ issuer, audience, keys: issuerKeys, realm: 'todos' });

  it('a guard neither throws nor grants, and its challenge is one of four', () => {
    const challenges = [
      undefined,
      'Bearer realm="todos"',
      'Bearer realm="todos", error="invalid_token", error_description="Could not validate credentials"',
      expect.stringMatching(/^Bearer realm="todos", error="invalid_request", error_description="[^"\\]+"$/),
    ];
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 2 }), fc.option(fc.string(), { nil: '' }), (authorization, target) => {
        const verdict = guard.check({ authorization, target });
        expect(verdict).toMatchObject({ granted: false });
        const challenge = 'refusal' in verdict ? verdict.refusal.headers['www-authenticate'] : undefined;
        expect(challenges).toContainEqual(challenge);
      }),
    );
  });

  // Other white space than HTTP's is for the verifier, like every character that no token has.
  it('credentials are never a token with the white space of HTTP, and never from two lines', () => {
    const readCredentials = createCredentialsReader(resolveSources([{ in: 'header' }]), 'refuse');
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 3 }), (authorization) => {
        const credentials = readCredentials({ authorization }, undefined);
        if (credentials.kind !== 'token') return;
        expect(authorization).toHaveLength(1);
        expect(credentials.token).toMatch(/^[^ \t\r\n]+$/);
        expect(authorization[0]?.slice(7)).toBe(credentials.token);
      }),
    );
  });

  it('one changed character makes a token invalid', () => {
    const token = anAccessToken();
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/='.split('');
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...characters), (position, character) => {
        fc.pre(token[position] !== character);
        const changed = token.slice(0, position) + character + token.slice(position + 1);
        expect(guard.check({ authorization: [`Bearer ${changed}`] })).toMatchObject({
          refusal: { body: { code: 'token_invalid' } },
        });
      }),
      { numRuns: 500 },
    );
  });
});

describe('whatever is logged', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const aDeath = fc.record({
    kind: fc.constantFrom(
      changeKinds.sessionDead,
      changeKinds.userFloor,
      changeKinds.clientFloor,
      changeKinds.globalFloor,
      changeKinds.tokenDead,
    ),
    key: name,
  });
  const someClaims = fc.record({ sid: name, sub: name, client_id: name, jti: name, af: fc.nat(30) });

  it('a replica that reads along agrees with a search of the whole log', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aDeath, { maxLength: 30 }),
        fc.array(someClaims, { maxLength: 10 }),
        async (deaths, tokens) => {
          const log = new ChangeLog();
          const replica = new Replica({ source: log, now: () => new Date(0) });
          for (const { kind, key } of deaths) {
            log.append({ kind, key: kind === changeKinds.globalFloor ? '' : key });
            await replica.refresh();
          }
          await replica.refresh();
          for (const token of tokens) {
            const claimOf = new Map<number, string>([
              [changeKinds.sessionDead, token.sid],
              [changeKinds.userFloor, token.sub],
              [changeKinds.clientFloor, token.client_id],
              [changeKinds.tokenDead, token.jti],
            ]);
            const position = token.af <= deaths.length ? token.af : 0;
            const isDead = deaths.some(
              ({ kind, key }, index) => position < index + 1 && (claimOf.get(kind) ?? key) === key,
            );
            const claims: AccessTokenClaims = { iss: issuer, aud: audience, exp: 1, ...token };
            expect(replica.findRevocation({ header: { alg: 'ES256' }, claims }) !== undefined).toBe(isDead);
          }
        },
      ),
    );
  });
});
