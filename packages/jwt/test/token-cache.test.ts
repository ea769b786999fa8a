import { describe, expect, it } from 'vitest';
import { TokenCache } from '../src/token-cache.ts';

/** Texts that end alike are looked up alike: only their beginnings tell them apart. */
const alike = (name: string): string => `${name}.ends-in-the-same-signature`;
const distinct = (index: number): string => `header.payload.${String(index).padStart(8, '0')}x`;

describe('a cache of tokens', () => {
  it('knows only what it was told', () => {
    const cache = new TokenCache<number>(2);
    expect(cache.recall('')).toBeUndefined();
    expect(cache.recall('abc')).toBeUndefined();
    cache.remember(distinct(1), 1);
    expect([distinct(1), distinct(2), ` ${distinct(1)}`].map((token) => cache.recall(token))).toEqual([
      1,
      undefined,
      undefined,
    ]);
  });

  it('keeps one of several that are looked up alike, and never takes one for another', () => {
    const cache = new TokenCache<string>(4);
    for (const name of ['a', 'b', 'a', 'c']) {
      cache.remember(alike(name), name);
      const found = ['a', 'b', 'c'].map((other) => cache.recall(alike(other)));
      expect(found).toEqual(['a', 'b', 'c'].map((other) => (other === name ? name : undefined)));
    }
    for (let index = 0; index < 3; index += 1) cache.remember(distinct(index), `${index}`);
    expect(cache.recall(alike('c'))).toBe('c');
    expect([0, 1, 2].map((index) => cache.recall(distinct(index)))).toEqual(['0', '1', '2']);
  });

  it('gives up what nobody asked for, in the order it came', () => {
    const cache = new TokenCache<number>(3);
    for (const index of [0, 1, 2]) cache.remember(distinct(index), index);
    expect(cache.recall(distinct(0))).toBe(0);
    cache.remember(distinct(3), 3);
    expect([0, 1, 2, 3].map((index) => cache.recall(distinct(index)))).toEqual([0, undefined, 2, 3]);
  });

  it('gives up the first when all were asked for, and asks them to be asked for again', () => {
    const cache = new TokenCache<number>(3);
    for (const index of [0, 1, 2]) cache.remember(distinct(index), index);
    for (const index of [0, 1, 2]) cache.recall(distinct(index));
    cache.remember(distinct(3), 3);
    cache.remember(distinct(4), 4);
    expect([0, 1, 2, 3, 4].map((index) => cache.recall(distinct(index)))).toEqual([undefined, undefined, 2, 3, 4]);
  });

  it('holds as many as it was made for, after any number', () => {
    for (const size of [1, 2, 7]) {
      const cache = new TokenCache<number>(size);
      for (let index = 0; index < 100; index += 1) cache.remember(distinct(index), index);
      const found = Array.from({ length: 100 }, (_, index) => cache.recall(distinct(index)));
      expect(found.filter((value) => value !== undefined)).toEqual(
        Array.from({ length: size }, (_, index) => 100 - size + index),
      );
    }
  });
});
