/** A token that was found good, and what there is to say about it. */
interface Remembered<Value> {
  readonly token: string;
  readonly value: Value;
}

/** Characters at the end of a token that tell it from others: 192 bits of its signature. */
const tailLength = 32;

/**
 * Remembers a bounded number of tokens.
 *
 * Looked up by the end of the signature and then compared whole: that takes less time than hashing a whole token, and
 * no token can stand for another. Two generations instead of a list of uses: when the young one is full it becomes the
 * old one, and what nobody asked for in the meantime is gone.
 */
export class TokenCache<Value> {
  readonly #generation: number;
  #young = new Map<string, Remembered<Value>>();
  #old = new Map<string, Remembered<Value>>();

  /** `size` is the largest number of tokens, rounded up to an even one. */
  constructor(size: number) {
    this.#generation = Math.ceil(size / 2);
  }

  recall(token: string): Value | undefined {
    const tail = token.slice(-tailLength);
    const young = this.#young.get(tail);
    if (young !== undefined) return young.token === token ? young.value : undefined;
    const old = this.#old.get(tail);
    if (old?.token !== token) return undefined;
    this.#add(tail, old);
    return old.value;
  }

  remember(token: string, value: Value): void {
    // The text may be a slice of a header, all of which a slice would keep in memory.
    const flat = Buffer.from(token, 'latin1').toString('latin1');
    this.#add(flat.slice(-tailLength), { token: flat, value });
  }

  #add(tail: string, entry: Remembered<Value>): void {
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(tail, entry);
  }
}
