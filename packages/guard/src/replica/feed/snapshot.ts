import { FeedFault } from './fault.ts';
import {
  type FeedEntry,
  type Greeting,
  membersOf,
  parseMessage,
  readCount,
  readEntries,
  readGreeting,
} from './messages.ts';

/** Everything that is alive in the log, in the binary form it comes in. */
export interface Snapshot extends Greeting {
  /** All of it, from the first byte on. */
  readonly bytes: Buffer;
  readonly issuer: unknown;
  /** The packed entries. */
  readonly packed: Buffer;
  readonly entries: readonly FeedEntry[];
  /** What the proof vouches for. */
  readonly signed: Buffer;
  readonly proof: string;
}

const magic = 'SPF1';
const wordBytes = 4;
/** Bytes of an entry that is packed. */
const packedBytes = 16;
const longestProof = 8192;

/** Reads on from where the last part ended; every length is checked against what is there. */
class Parts {
  offset = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(length: number): Buffer {
    const end = this.offset + length;
    if (end > this.#bytes.length) throw new FeedFault('malformed', 'The snapshot is shorter than it says');
    const part = this.#bytes.subarray(this.offset, end);
    this.offset = end;
    return part;
  }

  nextSized(): Buffer {
    return this.next(this.next(wordBytes).readUInt32LE(0));
  }
}

/**
 * Takes a snapshot apart. Does **not** check its proof.
 *
 * @throws {FeedFault} `malformed`
 */
export function readSnapshot(bytes: Buffer): Snapshot {
  const parts = new Parts(bytes);
  if (parts.next(wordBytes).toString('latin1') !== magic) throw new FeedFault('malformed', 'This is no snapshot');
  const header = parseMessage(parts.nextSized().toString());
  const { iss: issuer, count, v } = membersOf(header);
  parts.next(-parts.offset & (packedBytes - 1));
  const packed = parts.next(readCount('count', count) * packedBytes);
  const entries = readEntries(parseMessage(parts.nextSized().toString()));
  const signed = bytes.subarray(0, parts.offset);
  const proof = parts.nextSized();
  if (parts.offset !== bytes.length || proof.length > longestProof) {
    throw new FeedFault('malformed', 'The snapshot does not end where it says');
  }
  return {
    ...readGreeting({ min: v, ...membersOf(header) }),
    bytes,
    issuer,
    packed,
    entries,
    signed,
    proof: proof.toString('latin1'),
  };
}
