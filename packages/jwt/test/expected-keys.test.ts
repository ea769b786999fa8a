import { beforeEach, describe, expect, it } from 'vitest';
import { isJwtError, jwkSet, type JwtKey, remoteJwkSet, type RemoteJwkSet, tryVerifyJwt } from '../src/index.ts';
import { aKey, aToken, audience, issuer, seconds } from './fixtures.ts';

let clock: number;
let published: JwtKey;
let isDown: boolean;
let fetches: number;

beforeEach(() => {
  [clock, published, isDown, fetches] = [seconds, aKey('ES256'), false, 0];
});

const now = (): Date => new Date(clock * 1000);

/** Keys of an issuer that publishes `published`, unless it `isDown`. */
function someKeys(cooldown?: number): RemoteJwkSet {
  const answer = (): Promise<Response> => {
    fetches += 1;
    return isDown ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve(Response.json(jwkSet([published])));
  };
  const limits = cooldown === undefined ? {} : { cooldown };
  return remoteJwkSet('https://auth.example.com/jwks.json', { now, fetch: answer, ...limits });
}

const [former, next] = (['ES256', 'EdDSA'] as const).map((name) => aToken({ iat: 1, exp: 4e9 }, aKey(name)));

/** What becomes of a token: its code, or `good`. */
async function verify(keys: RemoteJwkSet, token: string | undefined): Promise<string> {
  const outcome = await tryVerifyJwt(token ?? '', { keys, issuer, audience, now: now() });
  return outcome.ok ? 'good' : outcome.code;
}

describe('K5 keys that are expected', () => {
  it('are found at once, whatever the cooldown', async () => {
    const keys = someKeys();
    expect(await verify(keys, former)).toBe('good');
    published = aKey('EdDSA');
    expect(await verify(keys, next)).toBe('algorithm_not_allowed');
    keys.expectNewKeys?.();
    expect(await verify(keys, next)).toBe('good');
    expect(await verify(keys, former)).toBe('algorithm_not_allowed');
    expect(fetches).toBe(2);
  });

  it('are asked for again when the answer under way may be too old', async () => {
    const keys = someKeys();
    const early = keys.refresh();
    keys.expectNewKeys?.();
    published = aKey('EdDSA');
    await early;
    expect(await verify(keys, next)).toBe('good');
    expect(fetches).toBe(2);
  });

  it('are asked for by whoever waits for such an answer', async () => {
    const keys = someKeys();
    const early = keys.refresh();
    keys.expectNewKeys?.();
    const late = keys.refresh('key-EdDSA');
    published = aKey('EdDSA');
    await Promise.all([early, late]);
    expect(keys.keys).toEqual(jwkSet([aKey('EdDSA')]));
  });

  it('are asked for every second while the issuer does not publish them yet, for as long as the cooldown', async () => {
    const keys = someKeys(30);
    await keys.refresh();
    keys.expectNewKeys?.();
    const asked: number[] = [];
    for (let second = 0; second < 100; second += 0.5) {
      const before = fetches;
      expect(await verify(keys, next)).toBe('algorithm_not_allowed');
      if (fetches > before) asked.push(second);
      clock += 0.5;
    }
    expect(asked).toEqual([...Array.from({ length: 30 }, (_, second) => second), 59, 89]);
  });

  it('are never asked for more often than a shorter cooldown says', async () => {
    const keys = someKeys(0);
    await keys.refresh();
    keys.expectNewKeys?.();
    for (let index = 1; index < 5; index += 1) {
      expect(await verify(keys, next)).toBe('algorithm_not_allowed');
      expect(fetches).toBe(1 + index);
    }
  });

  it('are unavailable, not unknown, while they cannot be fetched, and those in hand stay good', async () => {
    const keys = someKeys();
    await keys.refresh();
    isDown = true;
    keys.expectNewKeys?.();
    for (let second = 0; second < 40; second += 1) {
      expect(await verify(keys, next)).toBe('keys_unavailable');
      expect(await verify(keys, former)).toBe('good');
      clock += 1;
    }
    // At 0, 1, 3, 7, 15, 31 seconds.
    expect(fetches).toBe(1 + 6);
    [isDown, published] = [false, aKey('EdDSA')];
    clock += 30;
    expect(await verify(keys, next)).toBe('good');
  });

  it('do not matter to keys that are known: nothing is fetched for them', async () => {
    const keys = someKeys();
    await keys.refresh();
    keys.expectNewKeys?.();
    for (const keyId of [undefined, 'key-ES256']) await keys.refresh(keyId);
    expect(await verify(keys, former)).toBe('good');
    expect(fetches).toBe(1);
  });

  it('fail with what the fetch failed with', async () => {
    const keys = someKeys();
    await keys.refresh();
    isDown = true;
    keys.expectNewKeys?.();
    const failure: unknown = await keys.refresh('key-EdDSA').catch((error: unknown) => error);
    expect(isJwtError(failure) && [failure.code, failure.details]).toEqual(['keys_unavailable', { reason: 'network' }]);
  });
});
