import { describe, expect, it } from 'vitest';
import { parseStrictJson, type JsonRefusal, signJwt } from '../src/index.ts';
import { isJsonValue, shortestLength } from '../src/json.ts';
import { expectWithin } from './expect-within.ts';
import { refusalOf, expectRefusal, hmacKey, someClaims } from './fixtures.ts';

function reasonFor(text: string | Uint8Array): JsonRefusal | undefined {
  const error = refusalOf(() => parseStrictJson(text));
  return error.code === 'json_invalid' ? error.details.reason : undefined;
}

describe('strict JSON', () => {
  it.each([
    'null',
    '[]',
    ' {"a": 1}\n',
    '{"a":{"b":1},"c":{"b":1}}',
    '{"a":"b:c","d":"{\\":\\"}"}',
    '{"":""}',
    '["\\\\",{"a":"\\\\\\""}]',
    '"\\ud83d\\ude00"',
    '"😀"',
    '-0.5e-7',
    '["\\u0041",null,1,true]',
    `[${'[],'.repeat(100)}{}]`,
    `[${'{},'.repeat(100)}[]]`,
    `{"a":${'['.repeat(63)}${']'.repeat(63)}}`,
    `{ "a":${'['.repeat(63)}${']'.repeat(63)}}`,
    `{"long":"${'x'.repeat(9000)}","a":${'['.repeat(63)}${']'.repeat(63)}}`,
  ])('parses %j as JSON.parse does', (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  it.each([
    '',
    ' ',
    '{',
    '{}{}',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    'NaN',
    '01',
    '{"a":1}//x',
    '"\t"',
    '\u00a0{}',
    '"',
    '"\\"',
    '][',
  ])('J15 refuses %j, which is not JSON', (text) => expect(reasonFor(text)).toBe('syntax'));

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '[{"x":{"a":1,"b":2,"a":3}}]',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
    '{"a:":1,"a:":2}',
    '{"1":0,"1":0}',
    // As long as if it had no second x, when its other values are written as JSON.stringify() does.
    '{"a":1e5,"b":1e5,"x":1,"x":1}',
    '{"a":1e-5,"b":1e-5,"x":1,"x":1}',
    '{"a":1e400,"b":1e400,"x":1,"x":1}',
    '{"a":-0,"b":2,"x":1,"x":1}',
    '{"a":[true,true,true,true,true,true],"x":1,"x":1}',
    '{"a":[null,null,null,null,null,null],"x":1,"x":1}',
    '{"a":[{},{},[],[],"",""],"x":1,"x":1}',
  ])('J16 refuses %j, which has a member twice', (text) => expect(reasonFor(text)).toBe('duplicate_member'));

  it.each([
    ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a cut sequence', Buffer.from([0x22, 0xe2, 0x82, 0x22])],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['a lone surrogate', '"\ud800"'],
    ['an escaped lone surrogate', '"\\ud800"'],
    ['an escaped lone surrogate in a name', '{"\\uDC00":1}'],
    ['surrogates in the wrong order', '["\\udc00\\ud800"]'],
  ])('J15 refuses %s', (_name, text) => expect(reasonFor(text)).toBe('encoding'));

  it.each([
    ['a byte order mark', Buffer.from('\ufeff{}')],
    ['a byte order mark in text', '\ufeff{}'],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
  ])('J15 refuses %s', (_name, text) => expect(['syntax', 'encoding']).toContain(reasonFor(text)));

  it('J30 refuses deep nesting at once', async () => {
    expect(parseStrictJson(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeDefined();
    expect(reasonFor(`${'['.repeat(65)}${']'.repeat(65)}`)).toBe('depth');
    const [lists, objects] = [`${'['.repeat(2e5)}${']'.repeat(2e5)}`, `${'{"a":'.repeat(2e5)}1${'}'.repeat(2e5)}`];
    await expectWithin(5, () => expect([reasonFor(lists), reasonFor(objects)]).toEqual(['depth', 'depth']));
  });

  it.each(['[ ]', '{ }', '[ { } ]', '{ "a": [ ] }', '"]["'])(
    'takes any number of %s side by side: they are not deep',
    (item) => {
      const text = `[ ${Array(100).fill(item).join(', ')} ]`;
      expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    },
  );

  it('J30 looks through a long text before it is parsed, and through no other', () => {
    expect(reasonFor('['.repeat(8192))).toBe('syntax');
    expect(reasonFor('['.repeat(8193))).toBe('depth');
    expect(reasonFor(`"${'x'.repeat(8192)}`)).toBe('syntax');
  });

  it('J32 keeps a member named __proto__ as an own member that changes no prototype', () => {
    const value = parseStrictJson('{"__proto__":{"admin":true}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe('the shortest length of a value', () => {
  const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

  it.each<[unknown]>([
    [1],
    [-1],
    [999],
    [1_700_000_001],
    [true],
    [false],
    [null],
    [''],
    ['😀'],
    [[]],
    [[7]],
    [[7, [], 'x']],
    [{}],
    [{ a: 1 }],
    [{ '': {}, b: [{ c: null }, [[]]] }],
    [someClaims({ iat: 1_700_000_001, exp: 1_700_000_901, roles: ['user', 'editor'] })],
    [nested(64)],
  ])('is that of %j as JSON.stringify() writes it', (value) => {
    expect(shortestLength(value)).toBe(JSON.stringify(value).length);
  });

  it.each([0, -0, 1000, 1e15, 0.5, -1e-7, 2 ** 53, Infinity])(
    'is not looked for where %d may be shortened',
    (number) => {
      for (const value of [number, [number], { a: number }]) expect(shortestLength(value)).toBeNaN();
    },
  );

  it('is not looked for below 64 levels', () => {
    expect(shortestLength(nested(65))).toBeNaN();
    expect(shortestLength({ a: nested(64) })).toBeNaN();
  });
});

describe('values fit for JSON', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const list: unknown[] = [];
  list.push(list);

  it.each([
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['a bigint', 1n],
    ['a Date', new Date()],
    ['a Map', new Map()],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['an undefined member', { a: undefined }],
    ['a hole', Object.assign([], { length: 2, 1: 1 })],
    ['a lone surrogate', '\udc00'],
    ['a cycle', cycle],
    ['a list that holds itself', list],
  ])('does not take %s for one', (_name, value) => expect(isJsonValue(value)).toBe(false));

  it('takes everything JSON.parse can return', () => {
    expect(isJsonValue({ a: [1, 'x', null, true, { b: {} }], ['__proto__']: 1 })).toBe(true);
    expect(isJsonValue(Object.create(null))).toBe(true);
    expect(isJsonValue({ toJSON: 'a text of that name' })).toBe(true);
  });
});

describe('what other parsers disagree on', () => {
  it('reads a number too large alike, whatever stands beside it', () => {
    expect(parseStrictJson('[1e400]')).toEqual([Infinity]);
    expect(parseStrictJson('[1e400,"\\u0041"]')).toEqual([Infinity, 'A']);
  });

  it('finds a member twice also where somebody added one to all objects', () => {
    Object.assign(Object.prototype, { x: 1 });
    try {
      expectRefusal('json_invalid', () => parseStrictJson('{"a":1,"a":2}'));
    } finally {
      Reflect.deleteProperty(Object.prototype, 'x');
    }
  });

  it('signs nothing that has itself written as something else', () => {
    const listed = Object.assign(['a'], { toJSON: () => ['everyone'] });
    const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'other' });
    for (const data of [listed, hidden]) expectRefusal('claims_invalid', () => signJwt({ exp: 4e9, data }, hmacKey));
  });
});
