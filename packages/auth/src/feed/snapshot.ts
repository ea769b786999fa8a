import { createHash } from 'node:crypto';
import { endianness } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Change } from '../changes/change.ts';
import { toFeedEntry } from './feed-entry.ts';
import { wordOffsets, wordsPerEntry, type EntryBlock } from './live-entries.ts';

/** What a snapshot says before its entries. */
export interface SnapshotHeader {
  readonly issuer: string;
  readonly incarnation: string;
  readonly head: number;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly hashKey: Uint8Array;
  readonly tokenLifetime: number;
}

/** What a snapshot is made of. */
export interface SnapshotParts {
  readonly header: SnapshotHeader;
  readonly blocks: readonly EntryBlock[];
  readonly others: readonly Change[];
  /** Signs the SHA-256 of everything before the proof. */
  readonly prove: (digest: string) => string;
}

const magic = 'SPF1';
const alignment = 16;
const wordBytes = 4;

/**
 * Writes a snapshot, as docs/feed-protocol.md describes it, in pieces. Others get their turn after each block; what is
 * added to the blocks meanwhile is not in it.
 */
export async function writeSnapshot({ header, blocks, others, prove }: SnapshotParts): Promise<readonly Uint8Array[]> {
  const frozen = blocks.map(({ words, count }) => ({ words, count }));
  const count = frozen.reduce((sum, block) => sum + countAlive(block, header.issuedAt), 0);
  const digest = createHash('sha256');
  const chunks: Uint8Array[] = [];
  const write = (chunk: Uint8Array): void => {
    digest.update(chunk);
    chunks.push(chunk);
  };
  write(writeHeader(header, count));
  for (const block of frozen) {
    write(packAlive(block, header));
    await nextTurn();
  }
  write(withLength(Buffer.from(JSON.stringify(others.map(toFeedEntry)))));
  return [...chunks, withLength(Buffer.from(prove(digest.digest('base64url'))))];
}

type FrozenBlock = Pick<EntryBlock, 'words' | 'count'>;

function writeHeader(header: SnapshotHeader, count: number): Buffer {
  const json = JSON.stringify({
    v: 1,
    iss: header.issuer,
    inc: header.incarnation,
    head: header.head,
    iat: header.issuedAt,
    hash_key: Buffer.from(header.hashKey).toString('hex'),
    token_lifetime: header.tokenLifetime,
    count,
  });
  const written = Buffer.concat([Buffer.from(magic), withLength(Buffer.from(json))]);
  const padding = (alignment - (written.length % alignment)) % alignment;
  return Buffer.concat([written, Buffer.alloc(padding)]);
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(wordBytes);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function countAlive({ words, count }: FrozenBlock, now: number): number {
  let alive = 0;
  for (let offset = 0; offset < count * wordsPerEntry; offset += wordsPerEntry)
    if (isAlive(words, offset, now)) alive += 1;
  return alive;
}

function packAlive({ words, count }: FrozenBlock, { head, issuedAt }: SnapshotHeader): Uint8Array {
  const packed = new Uint32Array(count * wordsPerEntry);
  const headWord = head >>> 0;
  let end = 0;
  for (let offset = 0; offset < count * wordsPerEntry; offset += wordsPerEntry) {
    if (!isAlive(words, offset, issuedAt)) continue;
    packed[end + wordOffsets.low] = words[offset + wordOffsets.low] ?? 0;
    packed[end + wordOffsets.high] = words[offset + wordOffsets.high] ?? 0;
    packed[end + wordOffsets.sequence] = headWord - (words[offset + wordOffsets.sequence] ?? 0);
    packed[end + wordOffsets.expiresAt] = words[offset + wordOffsets.expiresAt] ?? 0;
    end += wordsPerEntry;
  }
  const bytes = Buffer.from(packed.buffer, 0, end * wordBytes);
  return endianness() === 'LE' ? bytes : bytes.swap32();
}

function isAlive(words: Uint32Array, offset: number, now: number): boolean {
  const expiresAt = words[offset + wordOffsets.expiresAt] ?? 0;
  return expiresAt === 0 || expiresAt >= now;
}
