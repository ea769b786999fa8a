import { hkdfSync } from 'node:crypto';
import { secretKey, type JwkSet, type JwtKey, type RemoteJwkSet } from '@sallyport/jwt';
import { AuthError } from '../errors.ts';
import type { SigningKeyInfo, SigningKeyStage } from './signing-key.ts';
import type { SigningKeys } from './signing-keys.ts';

/** An algorithm whose key is the server's secret. */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512';

const leastBytes: Readonly<Record<SecretAlgorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** The one key of an HMAC algorithm: the server's secret itself, so that whoever shares it can verify. */
export class SecretSigningKey implements SigningKeys {
  readonly source: RemoteJwkSet;
  readonly #key: JwtKey;
  readonly #previous: JwtKey | undefined;
  readonly #startedAt: Date;

  /** @param previous an earlier secret: its tokens are still verified */
  constructor(secret: Uint8Array, algorithm: SecretAlgorithm, startedAt: Date, previous?: Uint8Array) {
    this.#key = keyOf(secret, algorithm);
    // A secret too short for the algorithm has never signed with it.
    const hasSigned = previous !== undefined && previous.length >= leastBytes[algorithm];
    this.#previous = hasSigned ? keyOf(previous, algorithm) : undefined;
    this.#startedAt = startedAt;
    const keys = this.#previous === undefined ? this.#key : [this.#key, this.#previous];
    this.source = { keys, refresh: () => Promise.resolve() };
  }

  list(): Promise<readonly SigningKeyInfo[]> {
    const previous = this.#previous === undefined ? [] : [this.#describe(this.#previous, 'retired')];
    return Promise.resolve([...previous, this.#describe(this.#key, 'current')]);
  }

  rotate(): Promise<SigningKeyInfo> {
    return Promise.reject(this.#fixed());
  }

  revoke(): Promise<SigningKeyInfo> {
    return Promise.reject(this.#fixed());
  }

  replaceAll(): Promise<number> {
    return Promise.resolve(0);
  }

  upkeep(): Promise<void> {
    return Promise.resolve();
  }

  publicJwkSet(): Promise<JwkSet> {
    return Promise.resolve({ keys: [] });
  }

  signingKey(): Promise<JwtKey> {
    return Promise.resolve(this.#key);
  }

  #describe({ algorithm, keyId = '' }: JwtKey, stage: SigningKeyStage): SigningKeyInfo {
    return { keyId, algorithm, stage, createdAt: this.#startedAt, activatesAt: this.#startedAt };
  }

  #fixed(): AuthError {
    const reason =
      `tokens are signed with SECRET_KEY (${this.#key.algorithm}): set another SECRET_KEY and restart; ` +
      'SECRET_KEY_PREVIOUS keeps tokens of the one before good';
    return new AuthError('value_invalid', reason, { field: 'algorithm', reason });
  }
}

function keyOf(secret: Uint8Array, algorithm: SecretAlgorithm): JwtKey {
  // Names the secret without telling anything about it, so that two secrets can be told apart while one replaces the other.
  const keyId = Buffer.from(hkdfSync('sha256', secret, '', 'sallyport key id 1', 6)).toString('base64url');
  return secretKey(secret, { algorithm, keyId });
}
