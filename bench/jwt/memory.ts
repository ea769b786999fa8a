import type { JwtVerifier } from '@sallyport/jwt';
import { weigh } from '../weigh.ts';
import type { BenchKey } from './keys.ts';
import { aToken } from './tokens.ts';

interface CacheBytes {
  /** For each token, while all fit. */
  readonly half: number;
  /** For each token of the cache's size, when many more came by. */
  readonly full: number;
}

/** Weighs what a verifier remembers: the heap and what hangs on it, before and after, when all garbage is gone. */
export async function bytesPerToken(key: BenchKey, make: () => JwtVerifier, size: number): Promise<CacheBytes> {
  // Code that is compiled meanwhile would be weighed too.
  fill(make(), key, size);
  const before = await weigh();
  const verifier = make();
  fill(verifier, key, size / 2);
  const half = await weigh();
  fill(verifier, key, 3 * size);
  const full = await weigh();
  // The verifier must outlive the last weighing.
  verifier.verify(aToken(key));
  return { half: (half - before) / (size / 2), full: (full - before) / size };
}

/** Nobody but the verifier keeps these tokens. */
function fill(verifier: JwtVerifier, key: BenchKey, tokens: number): void {
  for (let count = 0; count < tokens; count += 1) verifier.verify(`Bearer ${aToken(key)}`.slice('Bearer '.length));
}
