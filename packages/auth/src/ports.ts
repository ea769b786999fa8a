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

/** The operating system's generator, through node:crypto. */
export const systemRandom: Random = { bytes: (size) => randomBytes(size), uuid: () => randomUUID() };

/** A random identifier of 64 bits in 11 base64url characters: enough to never meet another, not a secret. */
export function randomId(random: Random): string {
  return random.bytes(8).toString('base64url');
}
