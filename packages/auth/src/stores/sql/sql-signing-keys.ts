import { isAlgorithm, type Jwk } from '@sallyport/jwt';
import type { Kysely, Selectable } from 'kysely';
import type { SigningKeyStore } from '../../keys/signing-key-store.ts';
import type { SigningKeyRecord } from '../../keys/signing-key.ts';
import type { Database } from './schema.ts';

/** What stands in place of a private half that was removed. */
const erased = '';

/** Signing keys in SQL. */
export class SqlSigningKeys implements SigningKeyStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async list(): Promise<readonly SigningKeyRecord[]> {
    const rows = await this.#db.selectFrom('signing_keys').selectAll().orderBy('activates_at').orderBy('id').execute();
    return rows.map(toRecord);
  }

  async insert(key: SigningKeyRecord): Promise<void> {
    await this.#db
      .insertInto('signing_keys')
      .values({
        id: key.keyId,
        algorithm: key.algorithm,
        public_jwk: JSON.stringify(key.publicJwk),
        encrypted_private_key: key.encryptedPrivateKey ?? erased,
        created_at: key.createdAt.getTime(),
        activates_at: key.activatesAt.getTime(),
      })
      .execute();
  }

  async replaceEncrypted(keyId: string, from: string, to: string): Promise<void> {
    await this.#db
      .updateTable('signing_keys')
      .set({ encrypted_private_key: to })
      .where('id', '=', keyId)
      .where('encrypted_private_key', '=', from)
      .execute();
  }

  async erase(keyId: string): Promise<void> {
    await this.#db.updateTable('signing_keys').set({ encrypted_private_key: erased }).where('id', '=', keyId).execute();
  }

  async delete(keyId: string): Promise<void> {
    await this.#db.deleteFrom('signing_keys').where('id', '=', keyId).execute();
  }
}

function toRecord(row: Selectable<Database['signing_keys']>): SigningKeyRecord {
  if (!isAlgorithm(row.algorithm)) throw new Error(`signing key ${row.id} has an unknown algorithm`);
  return {
    keyId: row.id,
    algorithm: row.algorithm,
    publicJwk: JSON.parse(row.public_jwk) as Jwk,
    encryptedPrivateKey: row.encrypted_private_key === erased ? undefined : row.encrypted_private_key,
    createdAt: new Date(row.created_at),
    activatesAt: new Date(row.activates_at),
  };
}
