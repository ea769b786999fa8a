import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { halfSipHash } from '../src/feed/half-sip-hash.ts';

interface Vectors {
  readonly key: string;
  readonly outputs: readonly string[];
}

const file = new URL('../../../test/vectors/half-sip-hash-2-4-64.json', import.meta.url);
const { key, outputs } = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

function hashed(message: Uint8Array): string {
  const { low, high } = halfSipHash(Buffer.from(key, 'hex'), message);
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(low, 0);
  bytes.writeUInt32LE(high, 4);
  return bytes.toString('hex');
}

describe('HalfSipHash-2-4', () => {
  it('gives the published outputs for messages of every length up to 63 bytes', () => {
    expect(outputs).toHaveLength(64);
    expect(outputs.map((_, length) => hashed(Uint8Array.from({ length }, (_each, index) => index)))).toEqual(outputs);
  });

  it('depends on every bit of the key', () => {
    const keys = Array.from({ length: 64 }, (_, bit) =>
      Uint8Array.from({ length: 8 }, (_each, byte) => (byte === bit >> 3 ? 1 << (bit & 7) : 0)),
    );
    const hashes = keys.map((each) => JSON.stringify(halfSipHash(each, Buffer.from('a message'))));
    expect(new Set(hashes).size).toBe(64);
  });
});
