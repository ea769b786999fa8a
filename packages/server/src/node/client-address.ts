import { BlockList, isIP } from 'node:net';
import type { Network } from '../environment/addresses.ts';

/** Whether an address may speak for others in `X-Forwarded-For`. */
export type Trust = (address: string) => boolean;

/** Builds the trust of a list of networks; an empty list trusts nobody. */
export function trustNetworks(networks: readonly Network[]): Trust {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family);
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Tells where a request comes from: the peer, or, when the peer is a trusted proxy, the nearest address in
 * `X-Forwarded-For` that is not. What stands left of that address is the client's own word and counts for nothing.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trust: Trust,
): string | undefined {
  let nearest = plainAddress(peer ?? '');
  if (nearest === undefined) return undefined;
  const hops = (forwardedFor ?? '').split(',');
  while (trust(nearest)) {
    const hop = plainAddress((hops.pop() ?? '').trim());
    if (hop === undefined) break;
    nearest = hop;
  }
  return nearest;
}

/** An IP address in one spelling: IPv4 is not dressed up as IPv6; undefined for anything else. */
function plainAddress(text: string): string | undefined {
  const plain = text.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
  return isIP(plain) === 0 ? undefined : plain;
}
