import { hkdfSync } from 'node:crypto';
import { exportJwk, exportPublicJwk, generateKey, importKey, jwkSet, jwkThumbprint, secretKey } from '@sallyport/jwt';
import type { Algorithm, Jwk, JwkSet, JwtKey, LocalKeys, RemoteJwkSet } from '@sallyport/jwt';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Clock } from '../ports.ts';
import type { Store } from '../stores/store.ts';
import type { KeyEncryption } from './key-encryption.ts';
import {
  activationOf,
  currentKey,
  isKeyNeeded,
  newestKey,
  waitingKey,
  stagesOf,
  type SigningKeyInfo,
  type SigningKeyRecord,
  type SigningKeyStage,
} from './signing-key.ts';

/** How long the keys are believed without asking the database again: far less than a key is published before use. */
const believedFor = 30_000;
/** How soon a token under an unknown key may make us ask again. */
const askAgainAfter = 1_000;

/** What the operations on signing keys work with. */
export interface SigningKeyDependencies {
  readonly store: Store;
  readonly encryption: KeyEncryption;
  readonly algorithm: Algorithm;
  /** Seconds. */
  readonly accessTokenLifetime: number;
  readonly clock: Clock;
  readonly emit: EventListener;
}

/** The keys that sign and verify access tokens. Made by `createAuth`. */
export interface SigningKeys {
  /** Every key that still matters, and its stage. */
  list(): Promise<readonly SigningKeyInfo[]>;
  /**
   * Publishes a new key, which signs once every guard has had time to see it. While one is waiting for that, it is the
   * answer: calling twice rotates once.
   *
   * @throws {AuthError} `value_invalid` when tokens are signed with SECRET_KEY: replace that instead
   */
  rotate(): Promise<SigningKeyInfo>;
  /** The public halves of all keys that verify, for anybody (RFC 7517). Empty when tokens are signed with a secret. */
  publicJwkSet(): Promise<JwkSet>;
  /** The key that signs now. */
  signingKey(): Promise<JwtKey>;
  /** Where a guard in the same process finds the keys that verify; give it to `createGuard` as `keys`. */
  readonly source: RemoteJwkSet;
}

type IsKeyNeeded = typeof isKeyNeeded;

const firstKeyNeeded: IsKeyNeeded = (keys) => keys.length === 0;

/** Signing keys in the database, their private halves encrypted. */
export class StoredSigningKeys implements SigningKeys {
  readonly #dependencies: SigningKeyDependencies;
  /** Keys by id, private ones and public ones apart: importing proves a key, which takes a while. */
  readonly #private = new Map<string, JwtKey>();
  readonly #public = new Map<string, JwtKey>();
  #records: readonly SigningKeyRecord[] = [];
  #tokenLifetime = 0;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(dependencies: SigningKeyDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Makes the very first key, and proves that the secret opens the newest one. A key that another algorithm needs waits
   * for the first token it is to sign: whoever only looks makes none.
   */
  async open(): Promise<void> {
    const newest = newestKey(await this.#read());
    if (newest === undefined) await this.#add(firstKeyNeeded);
    else this.#private.set(newest.keyId, this.#decrypt(newest));
  }

  async list(): Promise<readonly SigningKeyInfo[]> {
    const stages = this.#stages(await this.#read());
    return [...stages].map(([key, stage]) => toInfo(key, stage));
  }

  async rotate(): Promise<SigningKeyInfo> {
    const { algorithm, clock } = this.#dependencies;
    // An algorithm that was never used gets its first key by that, and only then one that waits.
    await this.signingKey();
    await this.#add((keys, of, now) => waitingKey(keys, of, now) === undefined);
    const next = waitingKey(this.#records, algorithm, clock());
    if (next === undefined) throw new Error('a key was just made');
    return toInfo(next, 'next');
  }

  /** Makes a key if one is needed, once, however many servers do so at the same time. */
  async #add(isNeeded: IsKeyNeeded): Promise<void> {
    const { store, algorithm, accessTokenLifetime, clock } = this.#dependencies;
    const key = await generateKey(algorithm);
    const added = await store.transaction(async (transaction) => {
      // Whoever comes second waits here, and finds the key of the first.
      await transaction.raiseTokenLifetime(accessTokenLifetime);
      const keys = await transaction.keys.list();
      if (!isNeeded(keys, algorithm, clock())) return undefined;
      const record = this.#record(key, activationOf(keys, algorithm, clock()));
      await transaction.keys.insert(record);
      return record;
    });
    if (added !== undefined) this.#announce(added);
    await this.#read();
  }

  async publicJwkSet(): Promise<JwkSet> {
    await this.#known();
    return jwkSet(this.#verificationKeys());
  }

  async signingKey(): Promise<JwtKey> {
    const { algorithm, clock } = this.#dependencies;
    if (isKeyNeeded(await this.#known(), algorithm, clock())) await this.#add(isKeyNeeded);
    const record = currentKey(this.#records, algorithm, clock());
    if (record === undefined) throw new Error('a key was just made');
    return remembered(this.#private, record.keyId, () => this.#decrypt(record));
  }

  get source(): RemoteJwkSet {
    const verificationKeys = (): LocalKeys | undefined =>
      this.#age() > believedFor ? undefined : this.#verificationKeys();
    const known = (keyId?: string): Promise<unknown> => this.#known(keyId);
    return {
      get keys() {
        return verificationKeys();
      },
      async refresh(keyId) {
        await known(keyId);
      },
    };
  }

  #verificationKeys(): readonly JwtKey[] {
    const records = [...this.#stages(this.#records).keys()];
    return records.map(({ keyId, publicJwk }) => remembered(this.#public, keyId, () => importKey(publicJwk)));
  }

  #stages(records: readonly SigningKeyRecord[]): ReadonlyMap<SigningKeyRecord, SigningKeyStage> {
    const { algorithm, clock } = this.#dependencies;
    return stagesOf(records, algorithm, this.#tokenLifetime, clock());
  }

  /** The records in memory, read again when they are old or when `keyId` is not among them. */
  async #known(keyId?: string): Promise<readonly SigningKeyRecord[]> {
    const isUnknown = keyId !== undefined && !this.#records.some((record) => record.keyId === keyId);
    return this.#age() > (isUnknown ? askAgainAfter : believedFor) ? this.#read() : this.#records;
  }

  /** How long ago the records were read; a clock that was set back makes them old too. */
  #age(): number {
    return Math.abs(this.#dependencies.clock().getTime() - this.#readAt);
  }

  async #read(): Promise<readonly SigningKeyRecord[]> {
    const { keys, changes } = this.#dependencies.store;
    [this.#records, this.#tokenLifetime] = await Promise.all([keys.list(), changes.tokenLifetime()]);
    this.#readAt = this.#dependencies.clock().getTime();
    return this.#records;
  }

  #record(key: JwtKey, activatesAt: Date): SigningKeyRecord {
    const { algorithm, encryption, clock } = this.#dependencies;
    const { keyId = jwkThumbprint(key) } = key;
    return {
      keyId,
      algorithm,
      publicJwk: exportPublicJwk(key),
      encryptedPrivateKey: encryption.encrypt(keyId, JSON.stringify(exportJwk(key))),
      createdAt: clock(),
      activatesAt,
    };
  }

  #decrypt({ keyId, encryptedPrivateKey }: SigningKeyRecord): JwtKey {
    const json = this.#dependencies.encryption.decrypt(keyId, encryptedPrivateKey);
    if (json === undefined) {
      const problem =
        'SECRET_KEY is not the one that encrypted the signing keys in this database: start with the earlier secret';
      throw new AuthError('config_invalid', problem, { problems: [problem] });
    }
    return importKey(JSON.parse(json) as Jwk);
  }

  #announce({ keyId, algorithm }: SigningKeyRecord): void {
    this.#dependencies.emit({ type: 'key_created', at: this.#dependencies.clock(), keyId, algorithm });
  }
}

/** The one key of an HMAC algorithm: the server's secret itself, so that whoever shares it can verify. */
export class SecretSigningKey implements SigningKeys {
  readonly #key: JwtKey;
  readonly #startedAt: Date;

  constructor(secret: Uint8Array, algorithm: 'HS256' | 'HS384' | 'HS512', startedAt: Date) {
    // Names the secret without telling anything about it, so that two secrets can be told apart while one replaces the other.
    const keyId = Buffer.from(hkdfSync('sha256', secret, '', 'sallyport key id 1', 6)).toString('base64url');
    this.#key = secretKey(secret, { algorithm, keyId });
    this.#startedAt = startedAt;
  }

  list(): Promise<readonly SigningKeyInfo[]> {
    const { algorithm, keyId = '' } = this.#key;
    const [createdAt, activatesAt] = [this.#startedAt, this.#startedAt];
    return Promise.resolve([{ keyId, algorithm, stage: 'current', createdAt, activatesAt }]);
  }

  rotate(): Promise<SigningKeyInfo> {
    const reason = `tokens are signed with SECRET_KEY (${this.#key.algorithm}): set another SECRET_KEY and restart`;
    return Promise.reject(new AuthError('value_invalid', reason, { field: 'algorithm', reason }));
  }

  publicJwkSet(): Promise<JwkSet> {
    return Promise.resolve({ keys: [] });
  }

  signingKey(): Promise<JwtKey> {
    return Promise.resolve(this.#key);
  }

  get source(): RemoteJwkSet {
    return { keys: this.#key, refresh: () => Promise.resolve() };
  }
}

function remembered(keys: Map<string, JwtKey>, keyId: string, make: () => JwtKey): JwtKey {
  const key = keys.get(keyId) ?? make();
  keys.set(keyId, key);
  return key;
}

function toInfo(
  { keyId, algorithm, createdAt, activatesAt }: SigningKeyRecord,
  stage: SigningKeyStage,
): SigningKeyInfo {
  return { keyId, algorithm, stage, createdAt, activatesAt };
}
