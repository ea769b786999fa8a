import { exportJwk, exportPublicJwk, generateKey, importKey, jwkSet, jwkThumbprint } from '@sallyport/jwt';
import type { Algorithm, Jwk, JwkSet, JwtKey, LocalKeys, RemoteJwkSet } from '@sallyport/jwt';
import { keyDead } from '../changes/change.ts';
import { AuthError } from '../errors.ts';
import type { EventListener } from '../events.ts';
import type { Clock } from '../ports.ts';
import { later } from '../sessions/session-lifetimes.ts';
import type { Store, Transaction } from '../stores/store.ts';
import { keptFor } from '../upkeep/pruning.ts';
import type { KeyEncryption } from './key-encryption.ts';
import {
  activationOf,
  currentKey,
  isKeyNeeded,
  isRotationDue,
  newestKey,
  outlivedKeys,
  stagesOf,
  toInfo,
  trustedKeys,
  waitingKey,
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
  /** How old a key becomes before the next one is made, in seconds. */
  readonly rotateAfter: number;
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
  /**
   * Marks a key that somebody else may have as compromised: every token it ever signed, or will, is refused at once by
   * guards that follow the change log, and by the others when they fetch the published keys again. Where it was the one
   * that signs, a new key takes its place at once.
   *
   * @throws {AuthError} `key_not_found`; `value_invalid` when tokens are signed with SECRET_KEY: replace that instead
   */
  revoke(keyId: string): Promise<SigningKeyInfo>;
  /**
   * Marks every key as compromised and makes one that signs at once, in a transaction of the caller's; says how many there
   * were. Nothing changes when tokens are signed with SECRET_KEY.
   */
  replaceAll(transaction: Transaction): Promise<number>;
  /** Makes the next key when the newest is old enough, and forgets those whose tokens expired two days ago. */
  upkeep(): Promise<void>;
  /** The public halves of all keys that verify, for anybody (RFC 7517). Empty when tokens are signed with a secret. */
  publicJwkSet(): Promise<JwkSet>;
  /** The key that signs now; with `asOf`, one that was not revoked at that position of the change log. */
  signingKey(asOf?: number): Promise<JwtKey>;
  /** Where a guard in the same process finds the keys that verify; give it to `createGuard` as `keys`. */
  readonly source: RemoteJwkSet;
}

type IsKeyNeeded = typeof isKeyNeeded;

const firstKeyNeeded: IsKeyNeeded = (keys) => keys.length === 0;

/** Signing keys in the database, their private halves encrypted. */
export class StoredSigningKeys implements SigningKeys {
  readonly source: RemoteJwkSet = this.#makeSource();
  readonly #dependencies: SigningKeyDependencies;
  /** Keys by id, private ones and public ones apart: importing proves a key, which takes a while. */
  readonly #private = new Map<string, JwtKey>();
  readonly #public = new Map<string, JwtKey>();
  #records: readonly SigningKeyRecord[] = [];
  #tokenLifetime = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  /** The position of the change log that the records are at least as new as. */
  #readHead = 0;
  #reading: Promise<void> | undefined;

  constructor(dependencies: SigningKeyDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Makes the very first key, and proves that the secret opens the newest one; what an earlier secret encrypted is
   * encrypted anew. A key that another algorithm needs waits for the first token it is to sign: whoever only looks makes
   * none.
   */
  async open(): Promise<void> {
    const { store, encryption } = this.#dependencies;
    const trusted = trustedKeys(await this.#read());
    const newest = newestKey(trusted);
    if (newest === undefined) await this.#add(firstKeyNeeded);
    else this.#private.set(newest.keyId, this.#decrypt(newest));
    for (const { keyId, encryptedPrivateKey: from = '' } of trusted) {
      const to = encryption.renew(keyId, from);
      if (to !== undefined) await store.keys.replaceEncrypted(keyId, from, to);
    }
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
    const next = waitingKey(trustedKeys(this.#records), algorithm, clock());
    if (next === undefined) throw new Error('a key was just made');
    return toInfo(next, 'next');
  }

  async revoke(keyId: string): Promise<SigningKeyInfo> {
    const { store, algorithm, accessTokenLifetime, clock, emit } = this.#dependencies;
    const key = await generateKey(algorithm);
    const replacement = await store.transaction(async (transaction) => {
      await transaction.raiseTokenLifetime(accessTokenLifetime);
      const trusted = trustedKeys(await transaction.keys.list());
      const revoked = trusted.find((each) => each.keyId === keyId);
      if (revoked === undefined) return undefined;
      await transaction.keys.erase(keyId);
      transaction.append(keyDead(keyId));
      if (revoked !== currentKey(trusted, algorithm, clock())) return undefined;
      return this.#insert(transaction, key, new Date(Math.max(clock().getTime(), revoked.activatesAt.getTime() + 1)));
    });
    const record = (await this.#read()).find((each) => each.keyId === keyId);
    if (record === undefined) throw new AuthError('key_not_found', 'no such signing key', { keyId });
    emit({ type: 'key_revoked', at: clock(), keyId });
    if (replacement !== undefined) this.#announce(replacement);
    return toInfo(record, 'compromised');
  }

  async replaceAll(transaction: Transaction): Promise<number> {
    const { algorithm, accessTokenLifetime, clock } = this.#dependencies;
    const key = await generateKey(algorithm);
    // Others that make keys wait here.
    await transaction.raiseTokenLifetime(accessTokenLifetime);
    const trusted = trustedKeys(await transaction.keys.list());
    for (const { keyId } of trusted) {
      await transaction.keys.erase(keyId);
      transaction.append(keyDead(keyId));
    }
    await this.#insert(transaction, key, clock());
    return trusted.length;
  }

  async upkeep(): Promise<void> {
    const { store, algorithm, rotateAfter, clock } = this.#dependencies;
    const isDue: IsKeyNeeded = (keys, of, now) => isRotationDue(keys, of, rotateAfter, now);
    if (isDue(trustedKeys(await this.#read()), algorithm, clock())) await this.#add(isDue);
    const outlived = outlivedKeys(this.#records, this.#tokenLifetime, later(clock(), -keptFor));
    for (const { keyId } of outlived) await store.keys.delete(keyId);
  }

  /** Makes a key if one is needed, once, however many servers do so at the same time. */
  async #add(isNeeded: IsKeyNeeded): Promise<void> {
    const { store, algorithm, accessTokenLifetime, clock } = this.#dependencies;
    const key = await generateKey(algorithm);
    const added = await store.transaction(async (transaction) => {
      // Whoever comes second waits here, and finds the key of the first.
      await transaction.raiseTokenLifetime(accessTokenLifetime);
      const keys = trustedKeys(await transaction.keys.list());
      if (!isNeeded(keys, algorithm, clock())) return undefined;
      return this.#insert(transaction, key, activationOf(keys, algorithm, clock()));
    });
    if (added !== undefined) this.#announce(added);
    await this.#read();
  }

  async #insert(transaction: Transaction, key: JwtKey, activatesAt: Date): Promise<SigningKeyRecord> {
    const record = this.#record(key, activatesAt);
    await transaction.keys.insert(record);
    return record;
  }

  async publicJwkSet(): Promise<JwkSet> {
    if (this.#age() > askAgainAfter) await this.#read();
    return jwkSet(this.#verificationKeys());
  }

  async signingKey(asOf = 0): Promise<JwtKey> {
    const { algorithm, clock } = this.#dependencies;
    // What the log says since may be that the key is dead.
    if (asOf > this.#readHead) await this.#read();
    if (isKeyNeeded(trustedKeys(await this.#known()), algorithm, clock())) await this.#add(isKeyNeeded);
    const record = currentKey(trustedKeys(this.#records), algorithm, clock());
    if (record === undefined) throw new Error('a key was just made');
    return remembered(this.#private, record.keyId, () => this.#decrypt(record));
  }

  #makeSource(): RemoteJwkSet {
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
    const verifying = [...this.#stages(this.#records)].filter(([, stage]) => stage !== 'compromised');
    return verifying
      .map(([record]) => record)
      .map(({ keyId, publicJwk }) => remembered(this.#public, keyId, () => importKey(publicJwk)));
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

  /** Reads the records anew. A read under way may have begun before what the caller must see: the next one has not. */
  async #read(): Promise<readonly SigningKeyRecord[]> {
    await this.#reading?.catch(() => undefined);
    this.#reading ??= this.#readRecords().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
    return this.#records;
  }

  async #readRecords(): Promise<void> {
    const { keys, changes } = this.#dependencies.store;
    // First of all, so that the records are at least as new.
    const head = await changes.head();
    [this.#records, this.#tokenLifetime] = await Promise.all([keys.list(), changes.tokenLifetime()]);
    this.#readHead = head;
    this.#readAt = this.#dependencies.clock().getTime();
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

  #decrypt({ keyId, encryptedPrivateKey = '' }: SigningKeyRecord): JwtKey {
    const json = this.#dependencies.encryption.decrypt(keyId, encryptedPrivateKey);
    if (json === undefined) {
      const problem =
        'SECRET_KEY is not the one that encrypted the signing keys in this database: start with the earlier secret, ' +
        'or set it as SECRET_KEY_PREVIOUS beside the new one';
      throw new AuthError('config_invalid', problem, { problems: [problem] });
    }
    return importKey(JSON.parse(json) as Jwk);
  }

  #announce({ keyId, algorithm }: SigningKeyRecord): void {
    this.#dependencies.emit({ type: 'key_created', at: this.#dependencies.clock(), keyId, algorithm });
  }
}

function remembered(keys: Map<string, JwtKey>, keyId: string, make: () => JwtKey): JwtKey {
  const key = keys.get(keyId) ?? make();
  keys.set(keyId, key);
  return key;
}
