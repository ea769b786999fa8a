import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../src/environment.ts';
import { clientAddress, trustNetworks } from '../src/node/client-address.ts';

/** The address of a client, by peer, `X-Forwarded-For` and `TRUSTED_PROXIES`. */
function addressOf(peer: string | undefined, forwardedFor: string | undefined, trusted: string): string | undefined {
  const { trustedProxies } = readEnvironment({ process: { TRUSTED_PROXIES: trusted } });
  return clientAddress(peer, forwardedFor, trustNetworks(trustedProxies));
}

const proxies = '10.0.0.0/8,fd00::/8';

describe('P11 the client address', () => {
  it.each<[string, string | undefined, string | undefined, string, string | undefined]>([
    ['is the peer’s', '203.0.113.9', undefined, '', '203.0.113.9'],
    ['is the peer’s whatever it claims', '203.0.113.9', '198.51.100.1', '', '203.0.113.9'],
    ['is the peer’s when another network is trusted', '203.0.113.9', '198.51.100.1', proxies, '203.0.113.9'],
    ['is what a trusted proxy says', '10.0.0.1', '198.51.100.1', proxies, '198.51.100.1'],
    ['is the nearest untrusted one', '10.0.0.1', '1.2.3.4, 198.51.100.1, 10.0.0.2', proxies, '198.51.100.1'],
    ['is not what stands left of that', '10.0.0.1', '10.9.9.9, 198.51.100.1', proxies, '198.51.100.1'],
    ['is the farthest proxy when all are trusted', '10.0.0.1', '10.0.0.3, 10.0.0.2', proxies, '10.0.0.3'],
    ['is the proxy’s own when it says nothing', '10.0.0.1', undefined, proxies, '10.0.0.1'],
    ['is the proxy’s own when it talks nonsense', '10.0.0.1', '198.51.100.1, unknown', proxies, '10.0.0.1'],
    ['has no port', '10.0.0.1', '198.51.100.1:4711', proxies, '10.0.0.1'],
    ['is plain IPv4 when Node dresses it up', '::ffff:10.0.0.1', '::ffff:198.51.100.1', proxies, '198.51.100.1'],
    ['may be IPv6', 'fd00::1', '2001:db8::7', proxies, '2001:db8::7'],
    ['is unknown when the peer has left', undefined, '198.51.100.1', '0.0.0.0/0', undefined],
  ])('%s', (_what, peer, forwardedFor, trusted, expected) => {
    expect(addressOf(peer, forwardedFor, trusted)).toBe(expected);
  });
});
