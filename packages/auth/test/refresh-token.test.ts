import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRefreshToken, RefreshTokens } from '../src/sessions/refresh-token.ts';

const secret = randomBytes(32);
const salt = randomBytes(16);
const tokens = new RefreshTokens(secret);
const sessionId = 'oWDokbsmhio';

describe('refresh tokens', () => {
  it('say which generation of which session they are', () => {
    const token = tokens.make(sessionId, 7, salt);
    expect(token).toMatch(/^[\w-]{42}$/);
    expect(parseRefreshToken(token)).toMatchObject({ sessionId, generation: 7 });
  });

  it('are a function of session and generation, so that a retry gets the identical one', () => {
    expect(tokens.make(sessionId, 7, salt)).toBe(new RefreshTokens(secret).make(sessionId, 7, salt));
  });

  it('S1: neither the database nor the key alone forges one', () => {
    const genuine = tokens.make(sessionId, 7, salt);
    const withoutKey = new RefreshTokens(randomBytes(32)).make(sessionId, 7, salt);
    const withoutSalt = tokens.make(sessionId, 7, randomBytes(16));
    const isGenuine = (token: string): boolean => {
      const parsed = parseRefreshToken(token);
      return parsed !== undefined && tokens.isGenuine(parsed, salt);
    };
    expect([genuine, withoutKey, withoutSalt].map(isGenuine)).toEqual([true, false, false]);
  });

  it('S1: hold 128 bits that nobody can foresee', () => {
    const macs = Array.from({ length: 10_000 }, (_, index) =>
      Buffer.from(tokens.make(sessionId, index + 1, salt), 'base64url').subarray(-16),
    );
    expect(new Set(macs.map((mac) => mac.toString('hex'))).size).toBe(macs.length);
    for (let bit = 0; bit < 128; bit += 1) {
      const ones = macs.filter((mac) => ((mac[bit >> 3] ?? 0) >> (bit & 7)) & 1).length;
      // Within six standard deviations of one half.
      expect(Math.abs(ones - 5000)).toBeLessThan(300);
    }
  });

  it('are good under the secret before, and made with the present one', () => {
    const previous = randomBytes(32);
    const old = new RefreshTokens(previous).make(sessionId, 7, salt);
    const both = new RefreshTokens(secret, previous);
    expect(both.make(sessionId, 7, salt)).toBe(tokens.make(sessionId, 7, salt));
    const isGenuine = (token: string, by: RefreshTokens): boolean => {
      const parsed = parseRefreshToken(token);
      return parsed !== undefined && by.isGenuine(parsed, salt);
    };
    expect([isGenuine(old, both), isGenuine(tokens.make(sessionId, 7, salt), both), isGenuine(old, tokens)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('are refused when a single character is another', () => {
    const token = tokens.make(sessionId, 7, salt);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'ABCxyz019-_'), (place, character) => {
        const changed = token.slice(0, place) + character + token.slice(place + 1);
        const parsed = parseRefreshToken(changed);
        const isGenuine = parsed !== undefined && tokens.isGenuine(parsed, salt);
        expect(isGenuine).toBe(changed === token);
      }),
    );
  });

  it('are not found in any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseRefreshToken(text)).toBeUndefined();
      }),
    );
    for (const text of ['', 'a.b.c', ' '.repeat(42), '='.repeat(42), `${tokens.make(sessionId, 1, salt)}=`]) {
      expect(parseRefreshToken(text)).toBeUndefined();
    }
  });
});
