import { describe, expect, it } from 'vitest';
import { secretKey, type JwtKey, type VerifyOptions } from '../src/index.ts';
import { verdictOn } from '../src/recent-verifications.ts';
import { resolveVerifyOptions, type Expectations } from '../src/verify-options.ts';
import { aToken, audience, issuer, now } from './fixtures.ts';

/** Asks as `verifyJwt` does, with a key of its own, and counts how often options had to be made sense of. */
class Asking {
  readonly keys: JwtKey = secretKey(Buffer.alloc(32, 7));
  resolutions = 0;

  readonly #token = aToken({}, this.keys);
  readonly #resolve = (options: VerifyOptions): Expectations => {
    this.resolutions += 1;
    return resolveVerifyOptions(options);
  };

  ask(options: object): unknown {
    return verdictOn(this.#token, { keys: this.keys, issuer, audience, ...options }, this.#resolve);
  }
}

/** The same text, but not the same memory. */
const again = (text: string): string => Buffer.from(text).toString();

const schema = { '~standard': { version: 1, vendor: 'none', validate: (value: unknown) => ({ value }) } };

describe('a verification', () => {
  it('serves every call that asks for the same, whoever owns the objects, at any moment', () => {
    const asking = new Asking();
    const options = {
      typ: 'JWT',
      subject: 'ada',
      clockTolerance: 1,
      maxTokenAge: 60,
      maxTokenLength: 9000,
      schema,
      algorithms: ['HS256'],
      requiredClaims: ['sub'],
    };
    asking.ask({ ...options, issuer, audience: [audience] });
    asking.ask({ ...options, issuer: again(issuer), audience: [again(audience)], algorithms: ['HS256'] });
    asking.ask({ ...options, issuer: again(issuer), audience: [again(audience)], now: new Date(now.getTime() + 1) });
    expect(asking.resolutions).toBe(1);
  });

  it('serves calls for a moment and calls for the present alike', () => {
    const asking = new Asking();
    for (const options of [{}, { now }, {}, { now }]) asking.ask(options);
    expect(asking.resolutions).toBe(1);
  });

  it('serves calls under keys that a set lists anew each time, and not under other keys', async () => {
    const asking = new Asking();
    let listed: readonly JwtKey[] = [asking.keys];
    const keys = {
      get keys() {
        return [...listed];
      },
      refresh: () => Promise.resolve(),
    };
    for (let round = 0; round < 3; round += 1) expect(await asking.ask({ keys, now })).toMatchObject({ claims: {} });
    listed = [secretKey(Buffer.alloc(32, 8))];
    expect(await asking.ask({ keys, now })).toMatchObject({ code: 'signature_invalid' });
    expect(asking.resolutions).toBe(1);
  });

  it('is not moved to another moment by whoever changes a date while keys are fetched', async () => {
    const asking = new Asking();
    const moment = new Date(now);
    const keys = {
      keys: undefined as JwtKey | undefined,
      refresh: () => {
        moment.setTime(0);
        keys.keys = asking.keys;
        return Promise.resolve();
      },
    };
    expect(await asking.ask({ keys, now: moment })).toMatchObject({ claims: {} });
  });

  it.each<[object]>([
    [{ typ: 'JWT' }],
    [{ subject: 'ada' }],
    [{ clockTolerance: 1 }],
    [{ maxTokenAge: 60 }],
    [{ maxTokenLength: 9000 }],
    [{ schema }],
    [{ issuer: [issuer] }],
    [{ audience: [audience] }],
    [{ algorithms: ['HS256'] }],
    [{ requiredClaims: ['sub'] }],
  ])('is made once more for %j, and both are kept', (options) => {
    const asking = new Asking();
    for (let round = 0; round < 3; round += 1) {
      asking.ask({});
      asking.ask(options);
    }
    expect(asking.resolutions).toBe(2);
  });

  it('is one of eight for the same keys: a ninth takes the place of the first', () => {
    const asking = new Asking();
    const ask = (...lengths: readonly number[]): void => {
      for (const maxTokenLength of lengths) asking.ask({ maxTokenLength });
    };
    ask(1, 2, 3, 4, 5, 6, 7, 8);
    ask(1, 2, 3, 4, 5, 6, 7, 8);
    expect(asking.resolutions).toBe(8);
    ask(9, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(asking.resolutions).toBe(9);
    ask(1);
    expect(asking.resolutions).toBe(10);
  });
});
