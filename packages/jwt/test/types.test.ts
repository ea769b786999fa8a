import { describe, expectTypeOf, it } from 'vitest';
import {
  isJwtError,
  verifyAccessToken,
  verifyJwt,
  type AccessTokenClaims,
  type Algorithm,
  type AnyJwtError,
  type JwkSet,
  type JwtClaims,
  type JwtKey,
  type Keys,
  type LocalKeys,
  type RemoteJwkSet,
  type VerifiedJwt,
  type VerifyOptions,
} from '../src/index.ts';

// Checked by the compiler (tsconfig.test.json); running them only proves that they stand.
describe('types', () => {
  it('tell waiting from not waiting by the kind of keys', () => {
    const verifyWith = {
      key: (keys: JwtKey) => verifyJwt('', { keys }),
      list: (keys: readonly JwtKey[]) => verifyJwt('', { keys }),
      set: (keys: JwkSet) => verifyJwt('', { keys }),
      local: (keys: LocalKeys) => verifyJwt('', { keys }),
      remote: (keys: RemoteJwkSet) => verifyJwt('', { keys }),
      any: (keys: Keys) => verifyJwt('', { keys }),
    };
    expectTypeOf(verifyWith.key).returns.toEqualTypeOf<VerifiedJwt>();
    expectTypeOf(verifyWith.list).returns.toEqualTypeOf<VerifiedJwt>();
    expectTypeOf(verifyWith.set).returns.toEqualTypeOf<VerifiedJwt>();
    expectTypeOf(verifyWith.local).returns.toEqualTypeOf<VerifiedJwt>();
    expectTypeOf(verifyWith.remote).returns.toEqualTypeOf<Promise<VerifiedJwt>>();
    expectTypeOf(verifyWith.any).returns.toEqualTypeOf<VerifiedJwt | Promise<VerifiedJwt>>();
  });

  it('give access tokens their claims', () => {
    const required = { issuer: '', audience: '' };
    const local = (keys: LocalKeys) => verifyAccessToken('', { ...required, keys });
    const remote = (keys: RemoteJwkSet) => verifyAccessToken('', { ...required, keys });
    expectTypeOf(local).returns.toEqualTypeOf<VerifiedJwt<AccessTokenClaims>>();
    expectTypeOf(remote).returns.toEqualTypeOf<Promise<VerifiedJwt<AccessTokenClaims>>>();
    expectTypeOf<AccessTokenClaims['sub']>().toEqualTypeOf<string>();
    expectTypeOf<JwtClaims['sub']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<JwtClaims['anything']>().toEqualTypeOf<unknown>();
  });

  it('narrow the details of an error by its code', () => {
    const read = (error: unknown) => {
      if (!isJwtError(error)) return undefined;
      expectTypeOf(error).toEqualTypeOf<AnyJwtError>();
      switch (error.code) {
        case 'expired':
          return error.details.expiredAt;
        case 'claim_mismatch':
          return error.details.claim;
        default:
          return error.code;
      }
    };
    expectTypeOf(read).returns.extract<Date>().toEqualTypeOf<Date>();
  });

  it('refuse what verification would refuse', () => {
    const options = (_options: VerifyOptions): void => undefined;
    const keys = undefined as unknown as JwtKey;
    options({ keys, algorithms: ['ES256'] });
    // @ts-expect-error: no such algorithm
    options({ keys, algorithms: ['none'] });
    // @ts-expect-error: no such option
    options({ keys, audiences: 'x' });
    // @ts-expect-error: a check must not vanish
    options({ keys, issuer: undefined });
    // @ts-expect-error: a secret is no key
    options({ keys: 'secret' });
    // @ts-expect-error: keys are needed
    options({});
    expectTypeOf<Algorithm>().toExtend<string>();
  });
});
