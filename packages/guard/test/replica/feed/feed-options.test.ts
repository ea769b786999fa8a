import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGuard, type GuardOptions } from '@sallyport/guard';
import { ChangeLog } from '../../change-log.ts';
import { audience, issuer, issuerKeys } from '../../tokens.ts';

const credential = 'a-feed-credential';
const creating =
  (feed: unknown, more: Partial<GuardOptions> = {}) =>
  (): void => {
    void createGuard({ issuer, audience, keys: issuerKeys, ...more, feed: feed as never }).close();
  };

describe('B11 feed options', () => {
  it.each([
    ['a credential alone', {}],
    ['nodes', { nodes: ['https://a.example.test', 'https://b.example.test/auth', 'http://127.0.0.1:8000'] }],
    ['a bound', { maxStaleness: 1 }],
    ['a bound of a day', { maxStaleness: 86_400 }],
    ['no bound but expiry', { maxStaleness: 'until-expiry' }],
    ['a transport', { transport: 'poll' }],
    ['a file', { snapshotFile: join(tmpdir(), 'feed.snapshot') }],
  ])('accept %s', (_, options) => {
    expect(creating({ credential, nodes: ['http://127.0.0.1:1'], ...options })).not.toThrow();
  });

  it.each([
    ['text', 'credential'],
    ['a list', [credential]],
    ['nothing', null],
    ['undefined', undefined],
    ['no credential', {}],
    ['an empty credential', { credential: '' }],
    ['a credential with a line break', { credential: 'a\nb' }],
    ['a credential that is no text', { credential: 7 }],
    ['no nodes', { credential, nodes: [] }],
    ['one node as text', { credential, nodes: 'https://a.example.test' }],
    ['a node by http', { credential, nodes: ['https://a.example.test', 'http://b.example.test'] }],
    ['a node that is none', { credential, nodes: [7] }],
    ['a node with a query', { credential, nodes: ['https://a.example.test?x=1'] }],
    ['a bound of nothing', { credential, maxStaleness: 0 }],
    ['a bound below a second', { credential, maxStaleness: 0.5 }],
    ['a bound over a day', { credential, maxStaleness: 86_401 }],
    ['a bound that is no number', { credential, maxStaleness: Number.NaN }],
    ['a bound in words', { credential, maxStaleness: '30' }],
    ['another transport', { credential, transport: 'websocket' }],
    ['an empty file name', { credential, snapshotFile: '' }],
    ['a file in a folder that is not there', { credential, snapshotFile: join(tmpdir(), 'nowhere', 'x') }],
    ['a file in a file', { credential, snapshotFile: '/dev/null/x' }],
    ['an unknown option', { credential, node: 'https://a.example.test' }],
    ['an option without a value', { credential, transport: undefined }],
  ])('refuse %s', (_, options) => {
    expect(creating(options)).toThrow(TypeError);
  });

  it('exclude a change source', () => {
    expect(creating({ credential }, { changes: new ChangeLog() })).toThrow(/feed and changes exclude each other/);
  });

  it('list every problem at once, and never the credential', () => {
    expect(creating({ credential: 'se cret', nodes: [], transport: 'x', more: 1 })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /feed\.credential must.*feed\.nodes must.*feed\.transport must.*"feed\.more"/,
        ) as string,
      }),
    );
    expect(creating({ credential: 'se cret' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('se cret') as string }),
    );
  });
});

describe('B11 a requirement', () => {
  const guard = createGuard({ issuer, audience, keys: issuerKeys });

  it.each([1, 5, 86_400, 'until-expiry'] as const)('may ask for knowledge of at most %s seconds', (maxStaleness) => {
    expect(guard.resolve({ maxStaleness })).toMatchObject({ maxStaleness });
  });

  it.each([0, -1, 86_401, Number.NaN, '5', 'never', null, undefined])('may not ask for %s', (maxStaleness) => {
    expect(() => guard.resolve({ maxStaleness: maxStaleness as never })).toThrow(/maxStaleness must be 1 to 86400/);
  });
});
