import {
  type Algorithm,
  generateKey,
  type JwtKey,
  jwkSet,
  type LocalKeys,
  publicKey,
  type RemoteJwkSet,
} from '@sallyport/jwt';

/** The keys of an issuer, and one of a stranger who calls it by the same id. */
export class TestKeys implements RemoteJwkSet {
  readonly #algorithm: Algorithm;
  readonly #published: JwtKey[] = [];
  #own: JwtKey;
  #stranger: JwtKey;

  private constructor(algorithm: Algorithm, [own, stranger]: KeyPair) {
    this.#algorithm = algorithm;
    [this.#own, this.#stranger] = [own, stranger];
    this.keys = this.#publish();
  }

  static async create(algorithm: Algorithm): Promise<TestKeys> {
    return new TestKeys(algorithm, await createKeys(algorithm, 1));
  }

  /** What guards verify with. */
  keys: LocalKeys;

  get own(): JwtKey {
    return this.#own;
  }

  get stranger(): JwtKey {
    return this.#stranger;
  }

  async rotate(): Promise<void> {
    [this.#own, this.#stranger] = await createKeys(this.#algorithm, this.#published.length + 1);
    this.keys = this.#publish();
  }

  async refresh(): Promise<void> {
    // What is published is in hand.
  }

  #publish(): LocalKeys {
    const isSecret = this.#own.type === 'secret';
    this.#published.push(isSecret ? this.#own : publicKey(this.#own));
    return isSecret ? [...this.#published] : jwkSet(this.#published);
  }
}

type KeyPair = readonly [own: JwtKey, stranger: JwtKey];

async function createKeys(algorithm: Algorithm, number: number): Promise<KeyPair> {
  const keyId = `test-${String(number)}`;
  return [await generateKey(algorithm, { keyId }), await generateKey(algorithm, { keyId })];
}
