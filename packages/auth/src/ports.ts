import { randomBytes, randomUUID } from 'node:crypto';

/** Tells the time. Everything in this package that needs "now" asks a clock, so that tests can move it. */
export type Clock = () => Date;

/** Makes unpredictable values. */
export interface Random {
  /** `size` bytes from a cryptographically secure generator. */
  bytes(size: number): Buffer;
  /** A random UUID (RFC 9562, version 4). */
  uuid(): string;
}

/** The computer's clock. */
export const systemClock: Clock = () => new Date();

/** Milliseconds that pass evenly, whatever happens to the computer's clock. */
export const steadyTime = (): number => performance.now();

/** Octets that are fetched together: asking for a few takes as long as asking for all of them. */
const stockSize = 4096;

/** The operating system's generator, through node:crypto. No octet is given twice, nor kept once it is given. */
class StockedRandom implements Random {
  #stock = Buffer.alloc(0);

  bytes(size: number): Buffer {
    if (size > stockSize / 16) return randomBytes(size);
    if (this.#stock.length < size) this.#stock = randomBytes(stockSize);
    const taken = Buffer.from(this.#stock.subarray(0, size));
    this.#stock.fill(0, 0, size);
    this.#stock = this.#stock.subarray(size);
    return taken;
  }

  uuid(): string {
    return randomUUID();
  }
}

/** The computer's generator. */
export const systemRandom: Random = new StockedRandom();

/** A random identifier of 64 bits in 11 base64url characters: enough to never meet another, not a secret. */
export function randomId(random: Random): string {
  return random.bytes(8).toString('base64url');
}
