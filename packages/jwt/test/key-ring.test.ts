import { describe, expect, it } from 'vitest';
import { Fault } from '../src/fault.ts';
import { signJwt } from '../src/index.ts';
import { KeyRing, type KnownHeader } from '../src/key-ring.ts';
import { aKey, expectRefusal, forge, hmacKey, refusalOf } from './fixtures.ts';

/** A header that no other number gives. */
const header = (number: number): string => forge({ alg: 'HS256', number }).split('.')[0] ?? '';

function identified(ring: KeyRing, encoded: string): KnownHeader {
  const known = ring.identify(encoded);
  if (known instanceof Fault) throw known.toError();
  return known;
}

describe('a ring of keys', () => {
  it('reads a header anew until a good signature was seen under it: strangers fill no memory', () => {
    const ring = new KeyRing(hmacKey, undefined);
    const first = identified(ring, header(1));
    expect(identified(ring, header(1))).toEqual(first);
    expect(identified(ring, header(1))).not.toBe(first);
  });

  it('remembers the headers of several keys, whichever comes next', () => {
    const ring = new KeyRing(hmacKey, undefined);
    for (const number of [1, 2]) ring.remember(identified(ring, header(number)));
    const [one, two] = [identified(ring, header(1)), identified(ring, header(2))];
    for (let round = 0; round < 3; round += 1) {
      ring.remember(identified(ring, header(1)));
      expect(identified(ring, header(1))).toBe(one);
      ring.remember(identified(ring, header(2)));
      expect(identified(ring, header(2))).toBe(two);
    }
  });

  it('remembers 64 headers at most', () => {
    const ring = new KeyRing(hmacKey, undefined);
    const numbers = Array.from({ length: 64 }, (_, index) => index);
    for (const number of numbers) ring.remember(identified(ring, header(number)));
    const known = numbers.map((number) => identified(ring, header(number)));
    for (const number of numbers) expect(identified(ring, header(number))).toBe(known[number]);
    ring.remember(identified(ring, header(64)));
    for (const number of numbers) expect(identified(ring, header(number))).not.toBe(known[number]);
  });

  it('takes any key id for a key without one, while it is the only key', () => {
    const encoded = forge({ alg: 'HS256', kid: 'any' }).split('.')[0] ?? '';
    expect(identified(new KeyRing(hmacKey, undefined), encoded).key).toBe(hmacKey);
    const ring = new KeyRing([hmacKey, aKey('ES256')], undefined);
    expectRefusal('key_not_found', () => identified(ring, encoded));
  });

  it('names the algorithm it does not accept', () => {
    const encoded = signJwt({}, aKey('ES256')).split('.')[0] ?? '';
    for (const ring of [new KeyRing(hmacKey, undefined), new KeyRing(aKey('ES256'), ['RS256'])]) {
      expect(refusalOf(() => identified(ring, encoded))).toMatchObject({
        code: 'algorithm_not_allowed',
        details: { algorithm: 'ES256' },
      });
    }
  });
});
