/** Characters of the signature by which a token is looked up: 36 random bits. */
const markLength = 6;

/**
 * Remembers a bounded number of tokens.
 *
 * A token is looked up by a few characters of its signature and then compared whole: that takes less time than hashing
 * it, and no token can stand for another. When there is no room, the token goes that has waited longest since it came
 * or since the hand last passed it, without being asked for in the meantime (the clock algorithm of paging). A hit only
 * sets a flag, so what is asked for most costs least.
 */
export class TokenCache<Value> {
  readonly #size: number;
  readonly #places = new Map<number, number>();
  readonly #tokens: string[] = [];
  readonly #values: Value[] = [];
  readonly #used: Uint8Array;
  #hand = 0;

  /** `size` is the largest number of tokens, at least one. */
  constructor(size: number) {
    this.#size = size;
    this.#used = new Uint8Array(size);
  }

  recall(token: string): Value | undefined {
    const place = this.#places.get(markOf(token));
    if (place === undefined || this.#tokens[place] !== token) return undefined;
    this.#used[place] = 1;
    return this.#values[place];
  }

  remember(token: string, value: Value): void {
    const mark = markOf(token);
    const place = this.#places.get(mark) ?? this.#freePlace();
    this.#places.set(mark, place);
    // The text may be a slice of a header, all of which a slice would keep in memory.
    this.#tokens[place] = Buffer.from(token, 'latin1').toString('latin1');
    this.#values[place] = value;
    this.#used[place] = 0;
  }

  /** The first place that nobody has asked for since the hand last passed it; at first they are all empty. */
  #freePlace(): number {
    while (this.#used[this.#hand] === 1) {
      this.#used[this.#hand] = 0;
      this.#advance();
    }
    const place = this.#hand;
    this.#advance();
    const leaving = this.#tokens[place];
    if (leaving !== undefined) this.#places.delete(markOf(leaving));
    return place;
  }

  #advance(): void {
    this.#hand = (this.#hand + 1) % this.#size;
  }
}

/** Two tokens with one mark share a place, one after the other. The last character is left out: it may hold few bits. */
function markOf(token: string): number {
  const end = token.length - 1;
  let mark = 0;
  for (let index = end - markLength; index < end; index += 1) mark = (mark * 79 + token.charCodeAt(index)) | 0;
  return mark;
}
