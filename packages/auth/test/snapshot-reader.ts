/** A snapshot, taken apart by the words of docs/feed-protocol.md. */
export interface ReadSnapshot {
  readonly header: Readonly<Record<string, unknown>>;
  readonly packed: readonly PackedEntry[];
  readonly others: readonly (readonly unknown[])[];
  readonly proof: string;
  /** Every byte before the proof's length. */
  readonly proven: Uint8Array;
}

export interface PackedEntry {
  readonly low: number;
  readonly high: number;
  readonly sequence: number;
  readonly expiresAt: number;
}

/** Reads a snapshot; throws when a byte is left over or missing. */
export function readSnapshot(bytes: Buffer): ReadSnapshot {
  let offset = 4;
  const take = (length: number): Buffer => {
    if (offset + length > bytes.length) throw new Error('the snapshot ends too soon');
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const takeWithLength = (): string => take(take(4).readUInt32LE()).toString();
  if (bytes.toString('latin1', 0, 4) !== 'SPF1') throw new Error('not a snapshot');
  const header = JSON.parse(takeWithLength()) as ReadSnapshot['header'];
  const [count, head] = [Number(header['count']), Number(header['head'])];
  if (take((16 - (offset % 16)) % 16).some((byte) => byte !== 0)) throw new Error('the padding is not zero');
  const packed = Array.from({ length: count }, () => {
    const entry = take(16);
    return {
      low: entry.readUInt32LE(0),
      high: entry.readUInt32LE(4),
      sequence: head - entry.readUInt32LE(8),
      expiresAt: entry.readUInt32LE(12),
    };
  });
  const others = JSON.parse(takeWithLength()) as ReadSnapshot['others'];
  const proven = bytes.subarray(0, offset);
  const proof = takeWithLength();
  if (offset !== bytes.length) throw new Error('the snapshot does not end');
  return { header, packed, others, proof, proven };
}
