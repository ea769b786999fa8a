import { describe, expect, it } from 'vitest';
import { expectWithin } from '../../jwt/test/expect-within.ts';
import { readEmailAddress } from '../src/users/email-address.ts';
import { readCursor, writeCursor } from '../src/users/page.ts';
import { foldUsername, readUsername } from '../src/users/username.ts';
import { nameOfSubject, readSubject } from '../src/users/vouched-account.ts';

describe('user names', () => {
  it.each([
    ['Ada', 'ADA'],
    ['straße', 'STRASSE'],
    ['ﬁsh', 'fish'],
    ['ＡＤＡ', 'ada'],
    ['K', 'k'],
    ['Ζεύς', 'ΖΕΎΣ'],
    ['zoe\u0308', 'zoë'],
  ])('%s and %s are one', (one, other) => {
    expect(foldUsername(one)).toBe(foldUsername(other));
  });

  it.each(['ada', 'ada.lovelace', 'ada@example.com', 'a_b-c+d', 'Zoë', '李雷', '7of9', 'x'.repeat(64)])(
    'may be %s',
    (name) => {
      expect(readUsername(name).shown).toBe(name.normalize('NFC'));
    },
  );

  it.each([
    '',
    ' ada',
    'ada lovelace',
    '-ada',
    'ada\n',
    'ada\0',
    'ada<script>',
    "ada'--",
    'x'.repeat(65),
    '\u202Eada',
    'cee9e154-0a47-46d1-8249-2939f585da26',
    'ｃｅｅ9e154-0a47-46d1-8249-2939f585da26',
  ])('may not be %j', (name) => {
    expect(() => readUsername(name)).toThrow(expect.objectContaining({ code: 'value_invalid' }));
  });
});

describe('ids of users whom an application keeps', () => {
  it.each(['42', 'auth0|5F7C', 'ada@example.com', 'https://example.com/ada', 'x'.repeat(255), '__proto__'])(
    'may be %s',
    (subject) => {
      expect(readSubject(subject)).toBe(subject);
    },
  );

  it.each(['', ' 42', 'a b', 'a\nb', 'ä', 'x'.repeat(256), 42, undefined, null, { id: 42 }])(
    'may not be %j',
    (subject) => {
      expect(() => readSubject(subject as string)).toThrow(expect.objectContaining({ code: 'value_invalid' }));
    },
  );

  it('make names that nobody can choose, and that differ as the ids do', () => {
    const names = ['Ada', 'ada', 'ADA'].map((id) => nameOfSubject(id));
    expect(new Set(names.map(({ folded }) => folded)).size).toBe(3);
    for (const { folded } of names) expect(() => readUsername(folded)).toThrow();
  });
});

describe('very long text', () => {
  const hostile = `a${'\u0301\u0323'.repeat(100_000)}`;

  it('is nobody’s name, and found out at once', async () => {
    await expectWithin(50, () => {
      expect(foldUsername(hostile)).toBe(hostile);
      expect(() => readUsername(hostile)).toThrow(expect.objectContaining({ code: 'value_invalid' }));
      expect(() => readEmailAddress(`a@${hostile}.com`)).toThrow(expect.objectContaining({ code: 'value_invalid' }));
    });
  });
});

describe('P14: e-mail addresses', () => {
  it('are compared without regard to case, and shown as written but for the domain', () => {
    expect(readEmailAddress('Ada.Lovelace@EXAMPLE.com')).toEqual({
      shown: 'Ada.Lovelace@example.com',
      folded: 'ada.lovelace@example.com',
    });
    expect(readEmailAddress('ada@bücher.example').shown).toBe('ada@xn--bcher-kva.example');
  });

  it.each([
    'ada',
    '@example.com',
    'ada@',
    'ada@example',
    'a@x.com,b@y.com',
    'a@x.com b@y.com',
    '"e@evil.com"@example.com',
    'ada\uFF20example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    `${'a'.repeat(300)}@example.com`,
    `${'a'.repeat(65)}@example.com`,
    'ada..lovelace@example.com',
    '.ada@example.com',
    'ada@-example.com',
    'ada@exam_ple.com',
    'ada@127.0.0.1',
  ])('may not be %j', (address) => {
    expect(() => readEmailAddress(address)).toThrow(expect.objectContaining({ code: 'value_invalid' }));
  });
});

describe('cursors', () => {
  it('come back as they were written', () => {
    expect(readCursor(writeCursor('zoë'))).toBe('zoë');
  });

  it.each(['', '!', 'YQ==', 'YR'])('may not be %j', (cursor) => {
    expect(() => readCursor(cursor)).toThrow(expect.objectContaining({ code: 'value_invalid' }));
  });
});
