import { isIP, isIPv4 } from 'node:net';
import type { Parse } from './parsed.ts';

/** A network whose members may speak for others in `X-Forwarded-For`. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const hostName = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/;

/** A host name or an IP address, without scheme or port. */
export const host: Parse<string> = (text) =>
  isIP(text) !== 0 || hostName.test(text)
    ? { value: text }
    : { problem: 'must be a host name or an IP address, without scheme and port' };

/** An address or a CIDR block. */
export const network: Parse<Network> = (text) => {
  const [address = '', prefixText, ...rest] = text.split('/');
  const bits = isIPv4(address) ? 32 : 128;
  const prefix = prefixText === undefined ? bits : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (isIP(address) === 0 || rest.length > 0 || !(prefix <= bits)) {
    return { problem: 'must be a comma list of addresses or CIDR blocks' };
  }
  return { value: { address, prefix, family: bits === 32 ? 'ipv4' : 'ipv6' } };
};

/** Whether a host name or address never leaves the machine. */
export function isLoopback(name: string): boolean {
  const plain = name.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIPv4(plain)) return plain.startsWith('127.');
  return plain === '::1' || plain === 'localhost';
}

/** A host as it stands in a URL: IPv6 addresses in brackets. */
export function urlHost(name: string): string {
  return isIP(name) === 6 ? `[${name}]` : name;
}

/** An issuer: an absolute URL in its normal form; https unless it stays on this machine (RFC 8414, section 2). */
export const issuer: Parse<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return { problem: 'must be an absolute https URL' };
  if (url.username !== '' || url.password !== '') return { problem: 'must not contain a user name or a password' };
  if (/[?#]/.test(text)) return { problem: 'must not contain a query or a fragment' };
  if (text.endsWith('/')) return { problem: 'must not end in a slash' };
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return { problem: 'must use https (http only on loopback)' };
  const normal = url.pathname === '/' ? url.origin : url.href;
  return normal === text ? { value: text } : { problem: `must be written in its normal form, ${normal}` };
};

/** The origin of a web page, exactly as browsers send it. */
export const origin: Parse<string> = (text) => {
  if (text === '*') return { problem: 'must name exact origins: any web page could read the answers' };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.origin === text
    ? { value: text }
    : { problem: 'must be a comma list of origins: scheme, host and port without a path' };
};
