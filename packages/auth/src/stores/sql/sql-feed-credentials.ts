import type { Kysely, Selectable } from 'kysely';
import type { FeedCredentialStore } from '../../feed/feed-credential-store.ts';
import type { FeedCredentialRecord } from '../../feed/feed-credential.ts';
import type { Database } from './schema.ts';

/** Feed credentials in SQL. */
export class SqlFeedCredentials implements FeedCredentialStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async insert({ id, name, secretHash, createdAt }: FeedCredentialRecord): Promise<boolean> {
    const inserted = await this.#db
      .insertInto('feed_credentials')
      .values({ id, name, secret_hash: secretHash, created_at: createdAt.getTime() })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (inserted === undefined) return false;
    await this.#announce();
    return true;
  }

  async find(id: string): Promise<FeedCredentialRecord | undefined> {
    const row = await this.#db.selectFrom('feed_credentials').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : toRecord(row);
  }

  async list(): Promise<readonly FeedCredentialRecord[]> {
    return (await this.#db.selectFrom('feed_credentials').selectAll().orderBy('name').execute()).map(toRecord);
  }

  async delete(name: string): Promise<FeedCredentialRecord | undefined> {
    const row = await this.#db
      .deleteFrom('feed_credentials')
      .where('name', '=', name)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) return undefined;
    await this.#announce();
    return toRecord(row);
  }

  async #announce(): Promise<void> {
    await this.#db
      .updateTable('feed_head')
      .set((row) => ({ credentials: row('credentials', '+', 1) }))
      .execute();
  }
}

function toRecord(row: Selectable<Database['feed_credentials']>): FeedCredentialRecord {
  return { id: row.id, name: row.name, secretHash: row.secret_hash, createdAt: new Date(row.created_at) };
}
